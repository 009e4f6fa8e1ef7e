//! Reserves what a request draws on budgets, and gives it back if the request is never sent.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use countersign_core::Refusal;
use countersign_core::policy::{BudgetError, BudgetStore, Charge, Decided, Reservation, Unit, budget_refusal};
use futures_util::FutureExt as _;
use futures_util::future::{Either, select};

use crate::clock::Clock;
use crate::flight::InFlight;
use crate::forward::Prober;
use crate::record::SentMark;
use crate::step::Stop;

/// How long a store may take. A caller waits for it on every request that draws on a budget.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was reserved for a request that is under way.
pub(crate) struct Reserved {
    store: Arc<dyn BudgetStore>,
    reservation: Option<Reservation>,
    sent: SentMark,
}

impl std::fmt::Debug for Reserved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Reserved").field(&self.reservation).finish()
    }
}

impl Drop for Reserved {
    /// Runs when the request has gone through, was refused, or its caller left. Between the mark and the send nothing is
    /// awaited, so a request that is not marked here was not sent and never will be.
    fn drop(&mut self) {
        if self.sent.is_set() {
            return;
        }
        let Some(reservation) = self.reservation.take() else {
            return;
        };
        // Caught, since this may run while a panic unwinds.
        if catch_unwind(AssertUnwindSafe(|| self.store.release(reservation))).is_err() {
            tracing::error!("the budget store panicked; what it reserved lapses with its window");
        }
    }
}

/// Reserves what a decided request draws on.
pub(super) async fn reserve(
    store: &Arc<dyn BudgetStore>,
    prober: &Prober,
    clock: &dyn Clock,
    decided: &Decided,
    flight: &InFlight<()>,
) -> Result<Option<Reserved>, Stop> {
    let budgets = decided.decision().budgets();
    if budgets.is_empty() {
        return Ok(None);
    }
    let of_objects = || budgets.iter().filter(|budget| budget.unit == Unit::Objects);
    // One more than the smallest budget has is as good as any larger number: it is too many.
    let objects = match of_objects().map(|budget| budget.max).min() {
        Some(max) => {
            let bound = max.saturating_add(1);
            prober
                .count(decided.request(), bound, flight.record())
                .await?
                .unwrap_or(1)
        }
        None => 0,
    };
    let charges: Vec<_> = budgets
        .iter()
        .map(|budget| Charge {
            budget,
            subject: &flight.subject().user,
            amount: match budget.unit {
                Unit::Requests => 1,
                Unit::Objects => objects,
            },
        })
        .collect();
    let now = clock.now();
    let reserving = AssertUnwindSafe(async { store.reserve(&charges, now).await }).catch_unwind();
    let deadline = clock.sleep_until(now.checked_add(PATIENCE).unwrap_or(now));
    let reserved = match select(Box::pin(reserving), deadline).await {
        Either::Left((Ok(reserved), _)) => reserved,
        Either::Left((Err(_panic), _)) => {
            tracing::error!("the budget store panicked");
            Err(BudgetError::Unavailable)
        }
        Either::Right(((), _)) => {
            tracing::error!("the budget store did not answer in {PATIENCE:?}");
            Err(BudgetError::Unavailable)
        }
    };
    match reserved {
        Ok(reservation) => {
            flight.record().charged(&reservation);
            Ok(Some(Reserved {
                store: Arc::clone(store),
                reservation: Some(reservation),
                sent: flight.record().sent_mark(),
            }))
        }
        Err(error) => Err(refusal(&error, &charges, now).into()),
    }
}

fn refusal(error: &BudgetError, charges: &[Charge<'_>], now: countersign_core::Timestamp) -> Refusal {
    if *error == BudgetError::Unavailable {
        tracing::error!("the budgets of the policy can't be looked at");
    }
    budget_refusal(error, charges, now)
}
