//! Where the shared cases are.

use std::path::Path;

use serde_json::Value;

/// The cases of a file: the shared one if this checkout lies beside it, else the copy of the repository.
pub(crate) fn cases(file: &str) -> Vec<Value> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = ["../shared/vectors", "tests/vectors"]
        .iter()
        .find_map(|folder| std::fs::read_to_string(workspace.join(folder).join(file)).ok())
        .unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["cases"].as_array().unwrap().clone()
}
