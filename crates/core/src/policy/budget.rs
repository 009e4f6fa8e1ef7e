//! Budgets: how much of something a subject may do in a while.
//!
//! 1. A budget counts over a sliding window, per subject, in requests or in objects.
//! 2. The engine names the budgets that a request draws on; the layer that asked reserves them before the request goes
//!    on, and gives back what was reserved for a request that was never sent.
//! 3. A store that can't tell refuses.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::request::Effects;

/// How much of something one subject may do in a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// `policy/budget`.
    pub name: String,
    /// Effects that draw on it; any one.
    pub effects: Effects,
    /// What is counted.
    pub unit: Unit,
    /// How many in the window.
    pub max: u64,
    /// Length of the sliding window.
    pub per: Duration,
}

/// What a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// One for each request.
    Requests,
    /// One for each object that a request touches.
    Objects,
}

/// What a request draws on a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge<'a> {
    /// The budget.
    pub budget: &'a Budget,
    /// Whose: the subject's name.
    pub subject: &'a str,
    /// How much.
    pub amount: u64,
}

/// Proof that something was charged; [`BudgetStore::release`] takes it back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reservation(pub u64);

/// Why nothing was charged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// One of the budgets has too little left.
    #[error("the budget {name} is spent")]
    Spent {
        /// The budget.
        name: String,
        /// What is left of it.
        left: u64,
        /// When enough will be left again; none if the request is larger than the whole budget.
        retry_at: Option<Timestamp>,
    },
    /// The store can't tell.
    #[error("the budgets can't be looked at")]
    Unavailable,
}

/// Keeps account of budgets.
///
/// # Contract
/// - **All or nothing**: a reservation charges every budget or none.
/// - **Atomic**: of concurrent reservations no more succeed than the budget has.
/// - **Sliding**: what was charged at `t` is free again at `t + per`, not before.
/// - **Cancellation**: a dropped `reserve` may have charged; what it charged expires with the window.
/// - **Failure**: [`BudgetError::Unavailable`]; the request is refused.
#[async_trait]
pub trait BudgetStore: Send + Sync + 'static {
    /// Charges all of these, or none.
    ///
    /// # Errors
    /// Which budget is spent, or that nobody can tell.
    async fn reserve(&self, charges: &[Charge<'_>], now: Timestamp) -> Result<Reservation, BudgetError>;

    /// Takes a reservation back whose request was never sent. Does not wait, so that it can be called from a drop.
    fn release(&self, reservation: Reservation);
}
