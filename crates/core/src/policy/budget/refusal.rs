//! What a caller is told whose budget is spent.

use jiff::{Timestamp, Unit as TimeUnit};

use super::{BudgetError, Charge};
use crate::refusal::{Class, Refusal, Retry};

/// The refusal of a request whose charges could not be reserved.
#[must_use]
pub fn budget_refusal(error: &BudgetError, charges: &[Charge<'_>], now: Timestamp) -> Refusal {
    let BudgetError::Spent { name, left, retry_at } = error else {
        return Refusal::unavailable("the budgets of the policy can't be looked at");
    };
    let charge = charges.iter().find(|charge| charge.budget.name == *name);
    let budget = charge.map_or_else(|| name.clone(), |charge| charge.budget.to_string());
    let amount = charge.map_or(1, |charge| charge.amount);
    let refusal = |message| {
        Refusal::new(http::StatusCode::FORBIDDEN, Class::Budget, message)
            .with_rule(name.as_str())
            .with_fact("countersign.dev/left", left.to_string())
    };
    let needs = if amount > 1 && amount > *left {
        format!(", this request needs {amount}")
    } else {
        String::new()
    };
    match retry_at {
        Some(at) => {
            // Rounded up: at the time that the caller is told, it is so.
            let at = at.round(TimeUnit::Second).map_or(
                *at,
                |rounded| if rounded < *at { next_second(rounded) } else { rounded },
            );
            let seconds = at.duration_since(now).as_secs().max(1);
            refusal(format!(
                "the budget {budget} is spent: {left} left{needs}, more at {}",
                time(at, now)
            ))
            .with_retry(Retry::Later)
            .with_retry_after(u32::try_from(seconds).unwrap_or(u32::MAX))
            .with_fact("countersign.dev/retry-at", at.to_string())
        }
        None if charge.is_some_and(|charge| charge.amount > charge.budget.max) => refusal(format!(
            "the budget {budget} does not cover this request: it takes {amount} or more, {left} are left"
        ))
        .with_remedy("ask for less at a time"),
        None => refusal(format!("the budget {budget} is spent: {left} left{needs}")),
    }
}

fn next_second(at: Timestamp) -> Timestamp {
    at.checked_add(std::time::Duration::from_secs(1)).unwrap_or(at)
}

/// The time of day where the day is today's.
fn time(at: Timestamp, now: Timestamp) -> String {
    let (at, now) = (at.to_string(), now.to_string());
    match (at.split_once('T'), now.split_once('T')) {
        (Some((day, time)), Some((today, _))) if day == today => time.to_owned(),
        _ => at,
    }
}
