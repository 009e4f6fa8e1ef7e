//! Asks the policy engine, and refuses what it denies.
//!
//! 1. The engine is asked once; what it has to know first is read through a probe of the request's own target and it is
//!    asked once more. It is never asked a third time.
//! 2. A write that carries the mask's marker is refused before the engine is asked: it would destroy the value behind it.
//! 3. An engine that fails or panics is a refusal with 503.
//!
//! A refused caller sees a Status 403 of the class `policy` with the rule, or 422 for a marker.

use std::sync::Arc;

use crate::clock::Clock;
use crate::flight::InFlight;
use crate::forward::Prober;
use crate::step::{Step, Stop};
use countersign_core::Refusal;
use countersign_core::policy::{Decided, Facts, Need, PolicyEngine, Ruling, decide};
use countersign_core::request::{Canonical, Live, object_target};

/// The policy step.
pub struct Policy {
    engine: Arc<dyn PolicyEngine>,
    prober: Prober,
    clock: Arc<dyn Clock>,
}

impl Policy {
    /// Decides by this engine; what it needs is read through the prober.
    pub fn new(engine: Arc<dyn PolicyEngine>, prober: Prober, clock: Arc<dyn Clock>) -> Self {
        Self { engine, prober, clock }
    }

    async fn facts(&self, request: &Canonical, needs: &[Need], flight: &InFlight<()>) -> Result<Facts, Stop> {
        let mut facts = Facts::default();
        for need in needs {
            match need {
                Need::LiveObject => {
                    let live = match object_target(request) {
                        Some(target) => match self.prober.get(&target, flight.record()).await? {
                            Some(object) => Live::Object(Arc::new(object)),
                            None => Live::Absent,
                        },
                        None => Live::Unreadable,
                    };
                    facts = facts.with_live_object(live);
                }
                // An engine that is newer than this layer asks for what can't be had here.
                _ => return Err(Refusal::unavailable("the policy engine asks for facts that can't be read").into()),
            }
        }
        Ok(facts)
    }

    async fn decide(&self, request: Canonical, flight: &InFlight<()>) -> Result<Decided, Stop> {
        let mut ruling = decide(
            &*self.engine,
            flight.subject(),
            request,
            &Facts::default(),
            self.clock.now(),
        );
        if let Ruling::Needs { request, needs } = ruling {
            let facts = self.facts(&request, &needs, flight).await?;
            ruling = decide(&*self.engine, flight.subject(), request, &facts, self.clock.now());
        }
        match ruling {
            Ruling::Granted(decided) => {
                flight.record().decided(decided.decision());
                Ok(decided)
            }
            Ruling::Denied { decision, refusal } => {
                if let Some(decision) = decision {
                    flight.record().decided(&decision);
                }
                Err(refusal.into())
            }
            Ruling::Needs { .. } => Err(Refusal::unavailable("the policy engine asks for more than once").into()),
        }
    }
}

impl Step for Policy {
    type In = InFlight<Canonical>;
    type Out = InFlight<Decided>;

    async fn run(&self, input: Self::In) -> Result<Self::Out, Stop> {
        let (request, flight) = input.take();
        let decided = self.decide(request, &flight).await?;
        Ok(flight.with(decided))
    }
}
