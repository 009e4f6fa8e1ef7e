//! A guard over a scripted server, with parts that fail on demand, and what a row asks of them.

mod clock;
mod requests;
mod server;
mod sink;
mod world;

pub(crate) use clock::ManualClock;
pub(crate) use requests::{agent, approve, by, delete_pod, deny, get_pod, pod, request, with_json};
pub(crate) use server::{Answer, Broken, Readiness, Sent, Server, open_body};
pub(crate) use sink::{Fault, FaultySink, fails, hangs, panics};
pub(crate) use world::{Answered, World, recorded};

/// Lets everything that can go on go on. Rows wait for events; this is for what must not happen.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}
