//! Asks the policy engine, refuses what it denies, and reserves the budgets that a request draws on.
//!
//! 1. The engine is asked; what it has to know first (the live object, the Namespace) is read through a probe of the
//!    request's own target, and it is asked again. It is asked three times at most, and never gets the same fact twice.
//! 2. An object that does not exist, or that the guard may not read (403, 405), is a fact. A read that fails in any
//!    other way is a refusal with 502.
//! 3. A write that carries the mask's marker is refused before the engine is asked: it would destroy the value behind it.
//! 4. An engine that fails or panics is a refusal with 503.
//! 5. What is granted draws on its budgets before it goes on, also while it waits for an approval: 1 for a request, 1 for
//!    a named object, and for a deletion of a collection the number of objects that it matches right now, counted by a
//!    probe. Objects that appear between count and deletion are deleted uncounted.
//! 6. What was reserved is given back if the request is never sent: denied, lapsed, broken down before the send, or its
//!    caller gone.
//! 7. A budget store that fails, panics or takes more than five seconds is a refusal with 503.
//!
//! A refused caller sees a Status 403 of the class `policy` with the rule or of the class `budget` with the budget, or
//! 422 for a marker. Warnings of the policy reach the caller as `Warning` headers, whatever the outcome.

mod budgets;
pub mod files;
mod status;

use std::sync::Arc;

use countersign_core::Refusal;
use countersign_core::policy::{BudgetStore, Decided, Facts, MemoryBudgets, Need, PolicyEngine, Ruling, decide};
use countersign_core::request::{Canonical, Live, namespace_target, object_target};

pub(crate) use budgets::Reserved;
pub use files::{PolicyFiles, PolicyFilesError};
pub use status::{PolicyProblem, PolicyReporter, PolicyStatus};

use crate::clock::Clock;
use crate::flight::InFlight;
use crate::forward::Prober;
use crate::step::{Step, Stop};

/// How often the engine is asked about one request: once without facts, and once more for each kind of fact.
const MAX_ASKED: usize = 3;

/// The policy step.
pub struct Policy {
    engine: Arc<dyn PolicyEngine>,
    budgets: Arc<dyn BudgetStore>,
    prober: Prober,
    clock: Arc<dyn Clock>,
}

impl Policy {
    /// Decides by this engine; what it needs is read through the prober. Accounts of budgets are kept in memory.
    pub fn new(engine: Arc<dyn PolicyEngine>, prober: Prober, clock: Arc<dyn Clock>) -> Self {
        Self {
            engine,
            budgets: Arc::new(MemoryBudgets::new()),
            prober,
            clock,
        }
    }

    /// Keeps account of budgets in this store.
    #[must_use]
    pub fn with_budgets(mut self, store: Arc<dyn BudgetStore>) -> Self {
        self.budgets = store;
        self
    }

    /// Adds what the engine asks for to what it was given.
    async fn find_out(
        &self,
        mut facts: Facts,
        needs: &[Need],
        request: &Canonical,
        flight: &InFlight<()>,
    ) -> Result<Facts, Stop> {
        for need in needs {
            match need {
                need if facts.has(*need) => {}
                Need::LiveObject => {
                    let live = match object_target(request) {
                        Some(target) => self.prober.fact(&target, flight.record()).await?,
                        None => Live::Unreadable,
                    };
                    facts = facts.with_live_object(live);
                }
                Need::Namespace => {
                    let live = match namespace_target(request) {
                        Some(target) => self.prober.fact(&target, flight.record()).await?,
                        None => Live::Absent,
                    };
                    facts = facts.with_namespace(live);
                }
                // An engine that is newer than this layer asks for what can't be had here.
                _ => return Err(Refusal::unavailable("the policy engine asks for facts that can't be read").into()),
            }
        }
        Ok(facts)
    }

    async fn decide(&self, mut request: Canonical, flight: &InFlight<()>) -> Result<Decided, Stop> {
        let mut facts = Facts::default();
        for _ in 0..MAX_ASKED {
            let needs = match decide(&*self.engine, flight.subject(), request, &facts, self.clock.now()) {
                Ruling::Granted(decided) => {
                    flight.record().decided(decided.decision());
                    return Ok(decided);
                }
                Ruling::Denied { decision, refusal } => {
                    if let Some(decision) = decision {
                        flight.record().decided(&decision);
                    }
                    return Err(refusal.into());
                }
                Ruling::Needs { request: back, needs } => {
                    request = back;
                    needs
                }
            };
            facts = self.find_out(facts, &needs, &request, flight).await?;
        }
        Err(Refusal::unavailable("the policy engine asks for more and more").into())
    }
}

impl Step for Policy {
    type In = InFlight<Canonical>;
    type Out = InFlight<Decided>;

    async fn run(&self, input: Self::In) -> Result<Self::Out, Stop> {
        let (request, flight) = input.take();
        let decided = self.decide(request, &flight).await?;
        let reserved = budgets::reserve(&self.budgets, &self.prober, &*self.clock, &decided, &flight).await?;
        Ok(flight.with(decided).with_reserved(reserved))
    }
}
