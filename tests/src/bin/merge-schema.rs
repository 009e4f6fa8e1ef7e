//! Writes the table of how lists and maps of the built-in kinds merge, from what a real API server says of them.

use countersign_tests::control_plane::ControlPlane;
use countersign_tests::merge_schema::{TABLE, served, table};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let control_plane = ControlPlane::shared().await?;
    let (openapi, version) = served(control_plane).await?;
    std::fs::write(TABLE, table(&openapi, &version))?;
    println!("{TABLE}: as Kubernetes {version} says");
    Ok(())
}
