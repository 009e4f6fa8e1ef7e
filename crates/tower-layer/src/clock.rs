//! Time, so that tests can hold it still.

use async_trait::async_trait;
use countersign_core::Timestamp;

/// Tells the time and waits for it.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Waits until a time; returns at once if it has passed. Dropping the future is safe.
    async fn sleep_until(&self, deadline: Timestamp);
}

/// The system's clock, waiting on tokio's timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, deadline: Timestamp) {
        if let Ok(wait) = std::time::Duration::try_from(deadline.duration_since(Timestamp::now())) {
            tokio::time::sleep(wait).await;
        }
    }
}
