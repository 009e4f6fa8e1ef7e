//! The condition `Accepted` of custom resources, written back.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_core::Timestamp;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::resource::countersign_policy;

/// Who writes, to the server.
const MANAGER: &str = "countersign";

/// Longest message of a condition; the server takes 32 KiB.
const MAX_MESSAGE: usize = 8 * 1024;

/// Before a write that failed is tried again.
const PAUSE: Duration = Duration::from_secs(10);

/// What one custom resource should say of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) uid: String,
    pub(super) generation: Option<i64>,
    pub(super) accepted: bool,
    pub(super) reason: &'static str,
    pub(super) message: String,
    /// Of all policies in force.
    pub(super) revision: String,
}

/// What custom resources should say, by name, and what they say now.
pub(super) type Conditions = BTreeMap<String, (Condition, Option<Value>)>;

impl Condition {
    /// Whether an object says this already.
    fn is_in(&self, status: &Value) -> bool {
        let Some(condition) = accepted(status) else {
            return false;
        };
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        condition.get("status").and_then(Value::as_str) == Some(self.status())
            && text(condition, "reason").as_deref() == Some(self.reason)
            && text(condition, "message").as_deref() == Some(&*self.clipped())
            && condition.get("observedGeneration").and_then(Value::as_i64) == self.generation
            && text(status, "revision").as_deref() == Some(&*self.revision)
    }

    fn status(&self) -> &'static str {
        if self.accepted { "True" } else { "False" }
    }

    fn clipped(&self) -> String {
        match self.message.char_indices().nth(MAX_MESSAGE) {
            None => self.message.clone(),
            Some((end, _)) => format!("{}…", self.message.get(..end).unwrap_or_default()),
        }
    }

    fn patch(&self, name: &str, before: Option<&Value>, now: Timestamp) -> Value {
        // A transition is a change of the status, not of its reason.
        let since = before
            .and_then(accepted)
            .filter(|condition| condition.get("status").and_then(Value::as_str) == Some(self.status()))
            .and_then(|condition| condition.get("lastTransitionTime").cloned())
            .unwrap_or_else(|| now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into());
        let resource = countersign_policy();
        json!({
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": { "name": name, "uid": self.uid },
            "status": {
                "observedGeneration": self.generation,
                "revision": self.revision,
                "conditions": [{
                    "type": "Accepted",
                    "status": self.status(),
                    "reason": self.reason,
                    "message": self.clipped(),
                    "observedGeneration": self.generation,
                    "lastTransitionTime": since,
                }],
            },
        })
    }
}

fn accepted(status: &Value) -> Option<&Value> {
    let conditions = status.get("conditions")?.as_array()?;
    conditions
        .iter()
        .find(|condition| condition.get("type").and_then(Value::as_str) == Some("Accepted"))
}

/// Writes what custom resources should say, until nobody says it any more. Each thing is written once: of two guards that
/// differ, each has its say, and neither insists.
pub(super) async fn write(api: Api<DynamicObject>, mut wanted: watch::Receiver<Conditions>) {
    let mut written: BTreeMap<String, Condition> = BTreeMap::new();
    let mut failed = false;
    loop {
        let next = wanted.changed();
        let ended = if failed {
            tokio::time::timeout(PAUSE, next)
                .await
                .is_ok_and(|changed| changed.is_err())
        } else {
            next.await.is_err()
        };
        if ended {
            return;
        }
        failed = false;
        let now = wanted.borrow_and_update().clone();
        written.retain(|name, _| now.contains_key(name));
        for (name, (condition, before)) in now {
            if written.get(&name) == Some(&condition) {
                continue;
            }
            if !before.as_ref().is_some_and(|status| condition.is_in(status)) {
                let patch = condition.patch(&name, before.as_ref(), Timestamp::now());
                let params = PatchParams::apply(MANAGER).force();
                match api.patch_status(&name, &params, &Patch::Apply(patch)).await {
                    Ok(_) => {}
                    // Gone, or another object by now: the watch will tell.
                    Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => continue,
                    Err(error) => {
                        tracing::warn!(%error, name, "the condition of a CountersignPolicy can't be written");
                        failed = true;
                        continue;
                    }
                }
            }
            written.insert(name, condition);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition() -> Condition {
        Condition {
            uid: "u".into(),
            generation: Some(3),
            accepted: false,
            reason: "Invalid",
            message: "x".repeat(20_000),
            revision: "sha256:1".into(),
        }
    }

    #[test]
    fn what_was_written_is_not_written_again() {
        let condition = condition();
        let now = "2026-11-22T10:00:00.5Z".parse().unwrap();
        let patch = condition.patch("a", None, now);
        let status = &patch["status"];
        assert!(condition.is_in(status));
        assert_eq!(status["conditions"][0]["lastTransitionTime"], "2026-11-22T10:00:00Z");
        for other in [
            Condition {
                generation: Some(4),
                ..condition.clone()
            },
            Condition {
                reason: "Accepted",
                accepted: true,
                ..condition.clone()
            },
            Condition {
                revision: "sha256:2".into(),
                ..condition.clone()
            },
        ] {
            assert!(!other.is_in(status));
        }
        // The time of a transition stays for as long as the status does.
        let later = "2026-11-22T11:00:00Z".parse().unwrap();
        let same = condition.patch("a", Some(status), later);
        assert_eq!(
            same["status"]["conditions"][0]["lastTransitionTime"],
            "2026-11-22T10:00:00Z"
        );
        let accepted = Condition {
            accepted: true,
            ..condition
        };
        let turned = accepted.patch("a", Some(status), later);
        assert_eq!(
            turned["status"]["conditions"][0]["lastTransitionTime"],
            "2026-11-22T11:00:00Z"
        );
    }
}
