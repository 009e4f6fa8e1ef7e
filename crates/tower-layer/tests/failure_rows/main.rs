//! Every layer's rows of the failure table: an error, a timeout, a panic, a caller who is gone, a sink that is full or
//! down, before the send and after it. Each row says what was sent and what stands in the record.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod approval;
mod audit;
mod budgets;
mod composed;
mod forward;
mod gate;
mod harness;
mod identify;
mod mask;
mod policy;
mod seal;
mod wire;
