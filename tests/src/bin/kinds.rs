//! Prints the table of Kubernetes' own kinds and their fields, `crates/core/src/policy/condition/kinds.txt`, as a real
//! API server tells it.

use std::io::{self, Write};

use countersign_tests::control_plane::ControlPlane;
use countersign_tests::kinds;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let control_plane = ControlPlane::shared().await?;
    let table = kinds::table(&control_plane.admin()).await?;
    io::stdout().write_all(table.as_bytes())?;
    Ok(())
}
