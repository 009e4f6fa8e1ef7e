//! The guard's own way to read is not for others.

use countersign_tower::Record;
use countersign_tower::forward::Prober;

async fn read(prober: Prober, record: &Record) {
    let _ = prober.get("/api/v1/namespaces/team-a/secrets/db", record).await;
}

fn main() {}
