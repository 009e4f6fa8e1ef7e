//! The task that puts together what the API server tells, and puts it in force.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_core::Timestamp;
use countersign_core::policy::{PolicyEngine as _, ReloadablePolicy};
use countersign_tower::policy::{PolicyReporter, PolicyStatus};
use kube::api::DynamicObject;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::compose::{Composed, Composer, Refused, Texts};
use super::condition::{Condition, Conditions};
use super::observe::Change;
use super::resource::{Holder, custom_file};

/// Changes that come this close together are one.
const TOGETHER: Duration = Duration::from_millis(100);

/// What handles read.
#[derive(Debug, Clone)]
pub(super) struct Published {
    pub(super) status: PolicyStatus,
    pub(super) begun: bool,
}

/// Everything that is known of the objects that hold policies.
pub(super) struct Task {
    pub(super) policy: ReloadablePolicy,
    pub(super) published: watch::Sender<Published>,
    pub(super) conditions: watch::Sender<Conditions>,
    pub(super) reporter: PolicyReporter,
    /// Objects by name; none as long as nobody told.
    pub(super) objects: BTreeMap<Holder, Option<BTreeMap<String, DynamicObject>>>,
    /// Holders that can't be watched now, and why.
    pub(super) failed: BTreeMap<Holder, String>,
    pub(super) composer: Composer,
    /// What was put together last, and what was wrong with it.
    pub(super) last: Option<(Texts, BTreeMap<String, Refused>)>,
}

impl Task {
    /// Runs until the last handle is dropped.
    pub(super) async fn run(mut self, mut changes: mpsc::Receiver<Change>) {
        let published = self.published.clone();
        let mut due: Option<Instant> = None;
        loop {
            let wait = due.unwrap_or_else(Instant::now);
            tokio::select! {
                () = published.closed() => return,
                change = changes.recv() => {
                    let Some(change) = change else { return };
                    self.take(change);
                    due = due.or_else(|| Some(Instant::now() + TOGETHER));
                }
                () = sleep_until(wait), if due.is_some() => {
                    due = None;
                    self.put_in_force();
                }
            }
        }
    }

    fn take(&mut self, change: Change) {
        let name = |object: &DynamicObject| object.metadata.name.clone().unwrap_or_default();
        match change {
            Change::All(holder, objects) => {
                self.failed.remove(&holder);
                let objects = objects.into_iter().map(|object| (name(&object), object)).collect();
                self.objects.insert(holder, Some(objects));
            }
            Change::One(holder, object) => {
                if let Some(Some(objects)) = self.objects.get_mut(&holder) {
                    objects.insert(name(&object), *object);
                }
            }
            Change::Gone(holder, name) => {
                if let Some(Some(objects)) = self.objects.get_mut(&holder) {
                    objects.remove(&name);
                }
            }
            Change::Failed(holder, error) => {
                let plural = holder.resource().plural;
                tracing::warn!(error, "{plural} can't be watched; the policy in force stays");
                self.failed.insert(holder, error);
            }
        }
    }

    fn put_in_force(&mut self) {
        let mut problems: Vec<_> = self
            .failed
            .iter()
            .map(|(holder, error)| format!("{} can't be watched: {error}", holder.resource().plural))
            .collect();
        // All of them have to be known: what is missing may hold the rules that deny.
        let known: Option<Vec<_>> = self
            .objects
            .iter()
            .map(|(holder, objects)| Some((*holder, objects.as_ref()?)))
            .collect();
        if known.is_none() && problems.is_empty() {
            return;
        }
        let mut changed = false;
        if let Some(known) = known {
            let texts: Texts = known
                .iter()
                .flat_map(|(holder, objects)| objects.values().flat_map(|object| holder.sources(object)))
                .collect();
            let Composed { policy, refused } = match self.last.take() {
                // A condition that was written is a change too.
                Some((before, refused)) if before == texts => Composed { policy: None, refused },
                _ => self.composer.compose(&texts),
            };
            if let Some(policy) = policy
                && (policy.revision() != self.policy.revision() || !self.published.borrow().begun)
            {
                if texts.is_empty() {
                    tracing::warn!("there is no policy in the namespace that is watched: everything is denied");
                }
                self.policy.replace(policy);
                changed = true;
            }
            problems.extend(refused.iter().map(|(file, refused)| {
                let stays = if refused.kept {
                    "the version before it stays in force: "
                } else {
                    ""
                };
                format!("{file}: {stays}{}", refused.errors)
            }));
            self.say(&refused);
            self.last = Some((texts, refused));
        }
        self.publish(changed, &problems.join("\n\n"));
    }

    fn publish(&self, changed: bool, problem: &str) {
        let now = Timestamp::now();
        let before = self.published.borrow().clone();
        let mut status = if changed {
            PolicyStatus::in_force(self.policy.revision(), now)
        } else {
            before.status.clone()
        };
        if changed {
            self.reporter.accepted(&status);
        }
        if problem.is_empty() {
            if status.error.take().is_some() {
                self.reporter.recovered(&status);
            }
        } else {
            // Known since it was first seen, also if something else came into force meanwhile.
            status.error = before.status.error.clone();
            status = status.with_problem(problem.to_owned(), now);
            if status.error != before.status.error {
                self.reporter.refused(&status);
            }
        }
        let begun = self.composer.has_begun();
        self.published.send_replace(Published { status, begun });
    }

    /// Has every custom resource say what became of it.
    fn say(&self, refused: &BTreeMap<String, Refused>) {
        let Some(Some(objects)) = self.objects.get(&Holder::Custom) else {
            return;
        };
        let revision = self.policy.revision().to_string();
        let begun = self.composer.has_begun();
        let conditions: Conditions = objects
            .iter()
            .filter_map(|(name, object)| {
                let (accepted, reason, message) = match refused.get(&custom_file(name)) {
                    None if begun => (true, "InForce", "this version is in force".to_owned()),
                    None => {
                        let message = "this version is right, but nothing is in force before every policy that was \
                                       there at the start is right";
                        (false, "Waiting", message.to_owned())
                    }
                    Some(refused) if refused.kept => {
                        let errors = &refused.errors;
                        (
                            false,
                            "Invalid",
                            format!("the version before this one stays in force\n\n{errors}"),
                        )
                    }
                    Some(refused) => (false, "Invalid", refused.errors.clone()),
                };
                let condition = Condition {
                    uid: object.metadata.uid.clone()?,
                    generation: object.metadata.generation,
                    accepted,
                    reason,
                    message,
                    revision: revision.clone(),
                };
                Some((name.clone(), (condition, object.data.get("status").cloned())))
            })
            .collect();
        self.conditions.send_replace(conditions);
    }
}
