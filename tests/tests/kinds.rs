//! The table of Kubernetes' own kinds, by which conditions are checked, is what the API server says of itself.

use countersign_tests::{control_plane, kinds};

const TABLE: &str = include_str!("../../crates/core/src/policy/condition/kinds.txt");

#[tokio::test]
async fn fields_are_what_the_api_server_says() {
    let Some(cp) = control_plane::or_skip("fields_are_what_the_api_server_says").await else {
        return;
    };
    let table = kinds::table(&cp.admin()).await.unwrap();
    let different = table.lines().zip(TABLE.lines()).find(|(a, b)| a != b);
    assert_eq!(
        different, None,
        "make the table anew: cargo run -p countersign-tests --bin kinds"
    );
    assert_eq!(table.lines().count(), TABLE.lines().count());
}
