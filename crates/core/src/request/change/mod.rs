//! What a change does to an object, as far as its body and the live object tell: findings, each with its place.
//!
//! Rules: `kubernetes.md` sections 4.1, 7.6, 7.8, 18 and 21. A finding says what is there; whether it is of concern under
//! a policy's limits is the policy's matter (`policy/limits.rs`).
//!
//! 1. Where the live object was read, it is compared with what the change makes of it (`apply`, `difference`). It is
//!    masked before, as the caller would see it: what a change supplies at a masked place always differs from what is
//!    there, so no finding tells whether a guess was right.
//! 2. Where it was not read, or can't be, the body alone decides (`body_alone`). What looking could take back is
//!    [`assumed`](Finding::assumed) in the first case and stands in the second.
//! 3. Of a create only owner references can be destructive: there is nothing to take away.
//! 4. A change that can't be worked out within bounds is [`Concern::TooLarge`].
//!
//! A refused caller sees the concern's name and the place.

mod apply;
mod body_alone;
#[cfg(test)]
mod cases;
mod claims;
mod collected;
mod concern;
mod data;
mod defaults;
mod difference;
pub(super) mod hard_deny;
mod hidden;
mod ownership;
mod place;
mod protection;
mod retention;
mod routing;
mod rules;
mod scaling;
mod secret_annotation;
mod service;
mod sightings;
mod states;
mod workload;
mod write;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;

pub use concern::{Concern, Weight};

use super::attributes::Verb;
use super::canonical::Canonical;
use super::catalog::Origin;
use super::live::Live;
use crate::json::Value;
use crate::mask::{self, MaskPolicy};
use crate::policy::MaskObligation;
use apply::{Failed, TooLarge};
pub(super) use apply::{Op, Operation, operations};
use collected::Collected;
use difference::{Difference, Part};
use states::{Before, States};
use write::Write;

/// What a create, an update, a patch or a deletion does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    findings: Findings,
    supplies_hidden_value: bool,
    open: bool,
    token_mount_switch: Option<Vec<String>>,
}

/// What the policy masks of the object.
#[derive(Clone, Copy)]
struct Masked<'m> {
    obligations: &'m [Arc<MaskObligation>],
    policy: &'m MaskPolicy,
}

/// What a change does, in the order of the paths. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings(Option<Arc<[Finding]>>);

/// One thing that a change does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is.
    pub concern: Concern,
    /// JSON Pointer (RFC 6901) of the place in the object; empty for the whole of it.
    pub path: String,
    /// What limits are compared with: a number of replicas, an image, a manager, an annotation key, a capability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// It is assumed because the live object was not looked at; looking may show that it is not so.
    pub assumed: bool,
}

impl Deref for Findings {
    type Target = [Finding];

    fn deref(&self) -> &[Finding] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        let mut findings = findings.into_iter().peekable();
        Self(findings.peek().is_some().then(|| findings.collect()))
    }
}

impl Change {
    /// What a read does.
    pub(super) const NOTHING: Self = Self {
        findings: Findings(None),
        supplies_hidden_value: false,
        open: false,
        token_mount_switch: None,
    };

    /// Understands a request.
    ///
    /// `live` is what reading the object gave; `None` if nobody read it yet. What the body alone does not settle is a
    /// finding that is [`assumed`](Finding::assumed) as long as the object was not read, and stays a finding (no longer
    /// assumed) if it is [`Live::Unreadable`]. Requests that change nothing have no findings. Of each concern at most 64
    /// are told.
    #[must_use]
    pub fn of(request: &Canonical, live: Option<&Live>) -> Self {
        if !request.attributes().verb.is_mutating() {
            return Self::default();
        }
        Self::under(request, live, &[], &MaskPolicy::shared_default())
    }

    /// Like [`Change::of`], where the policy masks more of the object than what is masked anyway.
    #[must_use]
    pub fn under(
        request: &Canonical,
        live: Option<&Live>,
        obligations: &[Arc<MaskObligation>],
        policy: &MaskPolicy,
    ) -> Self {
        let masked = Masked { obligations, policy };
        if !request.attributes().verb.is_mutating() {
            return Self::default();
        }
        let mut findings = Collected::default();
        if let Some(concern) = hard_deny::concern(request.attributes()) {
            findings.at(concern, String::new(), false);
        }
        let changes = matches!(request.attributes().verb, Verb::Create | Verb::Update | Verb::Patch);
        if !changes || request.json().is_none() {
            return Self {
                findings: findings.into_sorted(),
                ..Self::default()
            };
        }
        // The gate lets nothing through that has no form.
        let write = Write::of(request);
        let mut token_mount_switch = None;
        let found = write.as_ref().map_or(Err(TooLarge), |write| {
            token_mount_switch = find(request, write, live, masked, &mut findings)?;
            Ok(())
        });
        if found.is_err() {
            findings.at(Concern::TooLarge, String::new(), false);
            findings.at(Concern::RemovesField, String::new(), false);
        }
        let supplies = |kind| {
            write
                .as_ref()
                .is_none_or(|write| hidden::supplies(request, write, kind, masked))
        };
        let is_absent = matches!(live, Some(Live::Absent));
        Self {
            findings: findings.into_sorted(),
            supplies_hidden_value: !is_absent && request.kind().is_none_or(supplies),
            open: live.is_none() && !matches!(write, Some(Write::Create(_))),
            token_mount_switch,
        }
    }

    /// What it does, in the order of the paths.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Whether it supplies a value at a place of an existing object where a value may be masked: then even a dry run
    /// could tell whether a guess was right.
    #[must_use]
    pub fn supplies_hidden_value(&self) -> bool {
        self.supplies_hidden_value
    }

    /// Where `automountServiceAccountToken: false` has to be added, in a workload that is created without saying so.
    pub(crate) fn token_mount_switch(&self) -> Option<&[String]> {
        self.token_mount_switch.as_deref()
    }

    /// Whether the object was not read, and reading it could change what is found: take away what is assumed, or show
    /// that a value takes the place of something that the body does not name.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }
}

fn find(
    request: &Canonical,
    write: &Write<'_>,
    live: Option<&Live>,
    masked: Masked<'_>,
    findings: &mut Collected,
) -> Result<Option<Vec<String>>, TooLarge> {
    let attributes = request.attributes();
    let origin = request.kind().map_or(Origin::Custom, |kind| kind.origin);
    let node = write::node(request);
    let given = apply::to_unknown(write, node)?;
    let object = live
        .and_then(Live::object)
        .filter(|_| !matches!(write, Write::Create(_)));
    let compared = match object {
        Some(object) => {
            let seen = mask::as_seen(request, object, masked.obligations, masked.policy.masking());
            match apply::to_object(write, seen.clone(), object, node) {
                Ok(after) => Some((object, seen, after)),
                Err(Failed::TooLarge) => return Err(TooLarge),
                // The server will refuse it. If the object changes until then, it may not.
                Err(Failed::DoesNotApply) => None,
            }
        }
        None => None,
    };
    let states = match compared {
        Some((object, seen, after)) => {
            if attributes.subresource != "scale" {
                let difference = Difference::new(request, &seen, &after, part(request, origin, object));
                difference.report(node, findings);
            }
            body_alone::removals_of_masked(write, &seen, findings);
            if apply::prunes_unknown(write, object) {
                findings.at(Concern::RemovesField, String::new(), false);
            }
            States {
                before: Before::Seen(seen),
                after,
            }
        }
        None => {
            body_alone::removals(write, node, &attributes.subresource, live.is_none(), findings);
            let before = match (write, live) {
                (Write::Create(_), _) | (Write::Apply(_), Some(Live::Absent)) => Before::Nothing,
                (_, None) => Before::NotRead,
                (_, Some(_)) => Before::Unknown,
            };
            States {
                before,
                after: given.clone(),
            }
        }
    };
    if matches!(states.before, Before::NotRead | Before::Unknown) {
        body_alone::switches(attributes, &states, findings);
    }
    ownership::findings(write, &states, findings);
    ownership::finalizers(findings);
    scaling::findings(attributes, origin, write, &states, findings);
    retention::findings(&states, findings);
    data::findings(attributes, write, &given, &states, findings);
    protection::findings(attributes, &states, findings);
    manager(write, findings);
    let token_mount_switch = workload::token_mount_switch(attributes, &states);
    if let (Some(kind), Some(body)) = (request.kind(), request.json()) {
        let mut found = Vec::new();
        rules::findings(attributes, kind, body, &states, &mut found);
        if !matches!(states.before, Before::Seen(_)) {
            // What a later operation puts over an earlier one in the fragment may stand elsewhere in the object.
            let before = states.before;
            let mut states = States { before, after: given };
            for after in apply::each_to_unknown(write)? {
                states.after = after;
                rules::findings(attributes, kind, body, &states, &mut found);
            }
        }
        found.into_iter().for_each(|finding| findings.add(finding));
    }
    Ok(token_mount_switch)
}

/// Which part of the object a request can change.
fn part(request: &Canonical, origin: Origin, live: &Value) -> Part {
    let entries = live.at(&["metadata", "managedFields"]).and_then(Value::as_array);
    // A custom resource has a status of its own only if its definition says so; who wrote it tells.
    let has_status = || {
        let mut entries = entries.unwrap_or_default().iter();
        entries.any(|entry| entry.get("subresource").and_then(Value::as_str) == Some("status"))
    };
    match request.attributes().subresource.as_str() {
        "status" => Part::Status,
        _ if origin == Origin::BuiltIn || has_status() => Part::NotStatus,
        _ => Part::Whole,
    }
}

/// Finds under whose name an apply is, and whether it takes fields from others.
fn manager(write: &Write<'_>, findings: &mut Collected) {
    let Write::Apply(applied) = write else {
        return;
    };
    findings.add(Finding {
        concern: Concern::ApplyManager,
        path: String::new(),
        value: Some(applied.manager.chars().take(128).collect()),
        assumed: false,
    });
    if applied.force {
        findings.at(Concern::ForcedApply, String::new(), false);
    }
}

impl Canonical {
    /// The object that a request makes: the body of a create or an update, a patch applied to the live object. `None` for
    /// a patch whose object was not read or is not there, that does not apply, or that can't be worked out within bounds;
    /// and for a request that has no object.
    #[must_use]
    pub fn resulting_object(&self, live: Option<&Live>) -> Option<Cow<'_, Value>> {
        match Write::of(self)? {
            Write::Create(body) | Write::Replace(body) => Some(Cow::Borrowed(body)),
            Write::Apply(applied) if matches!(live, Some(Live::Absent)) => Some(Cow::Borrowed(applied.body)),
            write => {
                let object = live?.object()?;
                let after = apply::to_object(&write, Value::clone(object), object, write::node(self));
                after.ok().map(Cow::Owned)
            }
        }
    }
}
