//! A clock that stands still until a test moves it.

use std::sync::Arc;

use async_trait::async_trait;
use countersign_core::Timestamp;
use countersign_tower::Clock;
use tokio::sync::watch;

/// Clones show the same time.
#[derive(Clone)]
pub(crate) struct ManualClock(Arc<watch::Sender<Timestamp>>);

impl ManualClock {
    pub(crate) fn new() -> Self {
        let start = "2026-11-22T10:00:00Z".parse().unwrap();
        Self(Arc::new(watch::Sender::new(start)))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        let by = std::time::Duration::from_secs(seconds);
        self.0.send_modify(|now| *now = now.checked_add(by).unwrap());
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        let mut time = self.0.subscribe();
        // The sender lives as long as this clock does.
        let _ = time.wait_for(|now| *now >= deadline).await;
    }
}
