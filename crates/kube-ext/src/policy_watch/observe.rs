//! What the API server tells of the objects that hold policies.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher::{Config, Event, watcher};
use tokio::sync::mpsc;

use super::resource::Holder;

/// Waits between two attempts, from the first to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A change of what holds policies.
#[derive(Debug)]
pub(super) enum Change {
    /// These are all.
    All(Holder, Vec<DynamicObject>),
    /// One is new or different.
    One(Holder, Box<DynamicObject>),
    /// One is gone.
    Gone(Holder, String),
    /// Nobody knows for now.
    Failed(Holder, String),
}

/// Tells of changes until nobody listens. After an error it asks for all objects anew, so that whoever listens knows when
/// it is over.
pub(super) async fn observe(holder: Holder, api: Api<DynamicObject>, config: Config, changes: mpsc::Sender<Change>) {
    let mut pause = PAUSE;
    loop {
        let mut events = pin!(watcher(api.clone(), config.clone()));
        let mut all = Vec::new();
        while let Some(event) = events.next().await {
            let change = match event {
                Ok(Event::Init) => {
                    all.clear();
                    continue;
                }
                Ok(Event::InitApply(object)) => {
                    all.push(object);
                    continue;
                }
                Ok(Event::InitDone) => {
                    pause = PAUSE;
                    Change::All(holder, std::mem::take(&mut all))
                }
                Ok(Event::Apply(object)) => Change::One(holder, Box::new(object)),
                Ok(Event::Delete(object)) => Change::Gone(holder, object.metadata.name.unwrap_or_default()),
                Err(error) => Change::Failed(holder, error.to_string()),
            };
            let failed = matches!(change, Change::Failed(..));
            if changes.send(change).await.is_err() {
                return;
            }
            if failed {
                break;
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
