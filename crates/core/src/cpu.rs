//! How much work a test was, on a machine that has other work as well.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// What `run` returns, and the CPU time that this thread took for it.
pub(crate) fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let now = || Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap());
    let begun = now();
    let out = run();
    (out, now() - begun)
}
