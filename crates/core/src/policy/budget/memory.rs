//! The store in memory: what was charged is known to this process, for as long as it lives.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Budget, BudgetError, BudgetStore, Charge, Charged, Reservation};

/// Slices in which the window of a larger budget is kept.
const SLICES: u32 = 512;

/// Accounts that are kept, if nothing else is said.
const DEFAULT_ACCOUNTS: usize = 10_000;

/// Keeps account in memory. Cheap to clone: every clone is a handle to the same accounts.
///
/// A budget of at most 512 is exact. Of a larger one the window is kept in 512 slices, so that it takes no more memory:
/// what was charged may count for 1/512 of the window longer. There are 10,000 accounts (pairs of budget and subject) at
/// most, each for as long as something in it counts; a subject that finds no room is refused.
///
/// A guard that starts anew begins with nothing charged, and two guards keep two accounts.
#[derive(Debug, Clone)]
pub struct MemoryBudgets(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    capacity: usize,
    accounts: HashMap<Arc<Key>, Account>,
    /// When each account has nothing in it any more, soonest first.
    lapses: BTreeSet<(Timestamp, Arc<Key>)>,
    reservations: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    budget: String,
    subject: String,
}

/// What one subject was charged of one budget.
#[derive(Debug)]
struct Account {
    /// Oldest first; no two overlap.
    slices: VecDeque<Slice>,
    used: u64,
    lapses: Timestamp,
}

/// What was charged between two times; it counts from the second.
#[derive(Debug)]
struct Slice {
    first: Timestamp,
    last: Timestamp,
    amount: u64,
}

impl Default for MemoryBudgets {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryBudgets {
    /// A store for at most 10,000 accounts.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(DEFAULT_ACCOUNTS)
    }

    /// A store for at most this many accounts.
    #[must_use]
    pub fn with_capacity(accounts: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            capacity: accounts,
            accounts: HashMap::new(),
            lapses: BTreeSet::new(),
            reservations: 0,
        })))
    }

    /// The number of accounts in which something counts, as of the last reservation.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.state().accounts.len()
    }

    /// Slices of all accounts, and entries of the list of lapses.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        let state = self.state();
        let slices = state.accounts.values().map(|account| account.slices.len()).sum();
        (slices, state.lapses.len())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BudgetStore for MemoryBudgets {
    async fn reserve(&self, charges: &[Charge<'_>], now: Timestamp) -> Result<Reservation, BudgetError> {
        let mut state = self.state();
        state.forget_lapsed(now);
        let mut charged = Vec::with_capacity(charges.len());
        for charge in charges {
            match state.charge(charge, now) {
                Ok(done) => charged.push(done),
                Err(error) => {
                    charged.iter().for_each(|done| state.give_back(done));
                    return Err(error);
                }
            }
        }
        state.reservations = state.reservations.wrapping_add(1);
        Ok(Reservation {
            id: state.reservations,
            charged,
        })
    }

    fn release(&self, reservation: Reservation) {
        let mut state = self.state();
        reservation.charged.iter().for_each(|charged| state.give_back(charged));
    }
}

impl State {
    fn forget_lapsed(&mut self, now: Timestamp) {
        while let Some((lapses, _)) = self.lapses.first()
            && *lapses <= now
            && let Some((_, key)) = self.lapses.pop_first()
        {
            self.accounts.remove(&key);
        }
    }

    fn charge(&mut self, charge: &Charge<'_>, now: Timestamp) -> Result<Charged, BudgetError> {
        let Charge {
            budget,
            subject,
            amount,
        } = *charge;
        let key = Key {
            budget: budget.name.clone(),
            subject: subject.to_owned(),
        };
        let account = self.accounts.get_mut(&key);
        let at = match &account {
            Some(account) => account.slices.back().map_or(now, |slice| slice.last.max(now)),
            None => now,
        };
        let (used, retry_at) = match account {
            Some(account) => {
                account.forget_lapsed(budget.per, at);
                (account.used, account.frees(budget, amount))
            }
            None => (0, None),
        };
        let left = budget.max.saturating_sub(used);
        if amount > left {
            return Err(BudgetError::Spent {
                name: key.budget,
                left,
                retry_at,
            });
        }
        let charged = Charged {
            budget: key.budget.clone(),
            subject: key.subject.clone(),
            amount,
            left: left - amount,
            at,
        };
        if amount > 0 {
            self.add(key, budget, at, amount)?;
        }
        Ok(charged)
    }

    fn add(&mut self, key: Key, budget: &Budget, at: Timestamp, amount: u64) -> Result<(), BudgetError> {
        if !self.accounts.contains_key(&key) && self.accounts.len() >= self.capacity {
            return Err(BudgetError::Unavailable);
        }
        let lapses = after(at, budget.per);
        let key = match self.accounts.get_key_value(&key) {
            Some((known, account)) => {
                let known = Arc::clone(known);
                self.lapses.remove(&(account.lapses, Arc::clone(&known)));
                known
            }
            None => Arc::new(key),
        };
        let account = self.accounts.entry(Arc::clone(&key)).or_insert_with(|| Account {
            slices: VecDeque::new(),
            used: 0,
            lapses,
        });
        account.add(budget, at, amount);
        account.lapses = lapses;
        self.lapses.insert((lapses, key));
        Ok(())
    }

    fn give_back(&mut self, charged: &Charged) {
        let key = Key {
            budget: charged.budget.clone(),
            subject: charged.subject.clone(),
        };
        let Some(account) = self.accounts.get_mut(&key) else {
            return;
        };
        account.give_back(charged);
        if account.slices.is_empty() {
            self.lapses.remove(&(account.lapses, Arc::new(key.clone())));
            self.accounts.remove(&key);
        }
    }
}

impl Account {
    fn forget_lapsed(&mut self, per: Duration, now: Timestamp) {
        while let Some(slice) = self.slices.pop_front_if(|slice| after(slice.last, per) <= now) {
            self.used = self.used.saturating_sub(slice.amount);
        }
    }

    fn add(&mut self, budget: &Budget, at: Timestamp, amount: u64) {
        let width = if budget.max <= u64::from(SLICES) {
            Duration::ZERO
        } else {
            budget.per / SLICES
        };
        self.used = self.used.saturating_add(amount);
        match self.slices.back_mut() {
            Some(slice) if at == slice.last || at < after(slice.first, width) => {
                slice.last = at;
                slice.amount = slice.amount.saturating_add(amount);
            }
            _ => self.slices.push_back(Slice {
                first: at,
                last: at,
                amount,
            }),
        }
    }

    /// When so much will be left; none if never.
    fn frees(&self, budget: &Budget, amount: u64) -> Option<Timestamp> {
        let mut used = self.used;
        let needed = budget.max.checked_sub(amount)?;
        for slice in &self.slices {
            used = used.saturating_sub(slice.amount);
            if used <= needed {
                return Some(after(slice.last, budget.per));
            }
        }
        None
    }

    fn give_back(&mut self, charged: &Charged) {
        let found = self.slices.partition_point(|slice| slice.last < charged.at);
        let Some(slice) = self.slices.get_mut(found).filter(|slice| slice.first <= charged.at) else {
            return;
        };
        let amount = charged.amount.min(slice.amount);
        slice.amount -= amount;
        self.used = self.used.saturating_sub(amount);
        if slice.amount == 0 {
            self.slices.remove(found);
        }
    }
}

/// A time that no clock reaches is the last one.
fn after(at: Timestamp, per: Duration) -> Timestamp {
    at.checked_add(per).unwrap_or(Timestamp::MAX)
}
