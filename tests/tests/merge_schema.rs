//! What the guard believes of how lists and maps of the built-in kinds merge is what the API server says.

use countersign_core::request::REVIEWED_FOR;
use countersign_tests::control_plane;
use countersign_tests::merge_schema::{TABLE, served, table};

#[tokio::test]
async fn the_table_says_what_the_server_says() {
    let Some(cp) = control_plane::or_skip("the_table_says_what_the_server_says").await else {
        return;
    };
    let (openapi, version) = served(cp).await.unwrap();
    if version != REVIEWED_FOR {
        println!("the server is Kubernetes {version}, the table was made for {REVIEWED_FOR}: not compared");
        return;
    }
    let committed = std::fs::read_to_string(TABLE).unwrap();
    let expected = table(&openapi, &version);
    let different: Vec<_> = committed
        .lines()
        .zip(expected.lines())
        .filter(|(committed, expected)| committed != expected)
        .take(5)
        .collect();
    assert!(
        committed == expected,
        "run `merge-schema` again; first differences: {different:#?}"
    );
}
