//! Budgets: how much of something a subject may do in a while.
//!
//! 1. A budget counts over a sliding window, per subject, in requests or in objects.
//! 2. The engine names the budgets that a request draws on; the layer that asked reserves them before the request goes
//!    on, and gives back what was reserved for a request that was never sent. What was judged at `t` counts from `t`,
//!    however long it waits for an approval.
//! 3. A budget is known by its name, so what was charged stays charged when the policy is replaced.
//! 4. A store that can't tell refuses.
//!
//! A refused caller sees a Status 403 of the class `budget`, whose rule is the budget: `the budget team/deletions (5
//! objects per 1h) is spent: 0 left, more at 12:34:56Z`. It is no 429, on which clients repeat by themselves;
//! `details.retryAfterSeconds` says when asking again can help, and the causes say what is left.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod memory;
mod refusal;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

pub use memory::MemoryBudgets;
pub use refusal::budget_refusal;

use crate::request::Effects;

/// How much of something one subject may do in a while.
///
/// Shown as `team/deletions (5 objects per 1h)`.
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

impl Unit {
    /// The name in policies and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Objects => "objects",
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.per.as_secs();
        let (count, unit) = match seconds {
            0 => (self.per.as_millis(), "ms"),
            _ if seconds.is_multiple_of(3600) => (u128::from(seconds / 3600), "h"),
            _ if seconds.is_multiple_of(60) => (u128::from(seconds / 60), "m"),
            _ => (u128::from(seconds), "s"),
        };
        write!(
            f,
            "{} ({} {} per {count}{unit})",
            self.name,
            self.max,
            self.unit.as_str()
        )
    }
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

/// Proof that something was charged; [`BudgetStore::release`] takes it back. It can't be cloned, so it is given back once
/// at most.
#[derive(Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The store's own mark.
    pub id: u64,
    /// What was charged, in the order of the charges.
    pub charged: Vec<Charged>,
}

/// What was charged to one budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// The budget's name.
    pub budget: String,
    /// Whose.
    pub subject: String,
    /// How much.
    pub amount: u64,
    /// What is left of it now.
    pub left: u64,
    /// When it was charged, by the store's account.
    pub at: Timestamp,
}

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
/// - **Sliding**: what was charged at `t` counts until `t + per`, never for a shorter time. A store that saves memory may
///   let it count a little longer, by a hundredth of the window at most.
/// - **Identity**: a budget is its name, an account its name and the subject's. Length and size of a budget are those of
///   the charge, and may differ from those of the charge before.
/// - **Time** is the caller's, and may stand still or go back; then nothing is free any sooner.
/// - **Release** gives back what was charged, at once. Of what has lapsed already nothing is given back.
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

#[async_trait]
impl<T: BudgetStore + ?Sized> BudgetStore for Arc<T> {
    async fn reserve(&self, charges: &[Charge<'_>], now: Timestamp) -> Result<Reservation, BudgetError> {
        (**self).reserve(charges, now).await
    }

    fn release(&self, reservation: Reservation) {
        (**self).release(reservation);
    }
}

#[async_trait]
impl<T: BudgetStore + ?Sized> BudgetStore for Box<T> {
    async fn reserve(&self, charges: &[Charge<'_>], now: Timestamp) -> Result<Reservation, BudgetError> {
        (**self).reserve(charges, now).await
    }

    fn release(&self, reservation: Reservation) {
        (**self).release(reservation);
    }
}

#[cfg(test)]
mod tests;
