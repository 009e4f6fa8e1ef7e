//! From a subject and a request to a decision: allow, deny or hold, with obligations, under a revision.
//!
//! [`decide`] asks a [`PolicyEngine`] and is the only function that makes a [`Decided`] request: nobody can bring a
//! ready verdict. An engine that fails or panics is a deny that says so. [`PolicySet`] is the built-in engine; the rest
//! of this page is its manual.
//!
//! # A document
//!
//! ```yaml
//! apiVersion: countersign.dev/v1alpha1
//! kind: Policy
//! metadata: { name: triage }
//! spec:
//!   subjects: [{ group: agents }, { user: "system:serviceaccount:agents:*" }]
//!   scopes:                                # what is permitted is permitted in here
//!   - namespaces: [team-a, "team-a-*"]
//!   - namespaces: ["*"]                    # reads everywhere
//!     clusterScoped: true
//!     effects: [read, read-stream, review]
//!   approval: { approvers: [{ group: sre }], quorum: 1, timeout: 10m, pin: uid }
//!   rules:
//!   - name: look
//!     match: { effects: [discovery, read, read-stream, review] }
//!     allow: {}
//!   - name: work
//!     match: { effects: [write, destructive], resources: [pods, pods/eviction, configmaps, deployments.apps] }
//!     allow: {}
//!   - name: what-may-take-something-away-needs-a-human
//!     match: { effects: [destructive] }
//!     hold: {}                             # as `approval` above says
//!   - name: not-the-database
//!     match: { names: ["db-*"], effects: [write, destructive] }
//!     deny: { message: "Ask the database team." }
//!   - name: hide-internal-config
//!     match: { resources: [configmaps], names: ["*-internal"] }
//!     mask: { paths: ["data.*"] }
//! ```
//!
//! # Outcome
//!
//! 1. The strongest outcome wins: deny over hold over allow. What no rule permits is denied.
//! 2. A rule asks for one of `allow: {}`, `deny: { message }`, `hold: { approvers, quorum, timeout, pin }` and
//!    `mask: { paths }`. A mask never permits. Every rule that fired is in the decision, as `document/rule`.
//! 3. Of several holds that fired, all have to be met. What a hold leaves out, `spec.approval` says; what that leaves
//!    out is a quorum of 1, a timeout of ten minutes and the pin `resourceVersion`. A hold that nobody could end is an
//!    error at load.
//! 4. Of several documents about one subject, an allow or a hold permits inside the scopes of its own document only;
//!    deny, hold and mask restrict everywhere. The order of documents has no meaning.
//!
//! # Matching
//!
//! What `match` or a scope leaves out matches everything. A rule matches *narrow* where it permits (an allow, a scope,
//! a hold as far as it permits) and *wide* where it restricts (a deny, a mask, a hold as far as it restricts).
//!
//! 5. `effects`: narrow, all effects of the request are listed; wide, any one. A change that may take something away is
//!    `write` and `destructive`; so allow both and hold `destructive`, as above. An allow or a hold that does not list
//!    effects permits none of `connect`, `credential` and `escalation`. A review of what others may do
//!    (`subjectaccessreviews`, `localsubjectaccessreviews`) is permitted only where `resources` lists it by name. What has the effect `self` touches the guard
//!    and is always denied, by the rule `countersign/self`.
//! 6. `verbs` are those of RBAC, and match as effects do. An apply counts as `patch` and `create`, a PUT as `update` and
//!    `create`, an upgrade as `get` and `create`, a HEAD as `get`, an eviction as `delete`. A mask meets a change like a
//!    read, since its answer shows the object.
//! 7. `resources`: `pods` is of the core group, `deployments.apps` of any other; versions never count, and a resource
//!    that is served under several groups is one. Narrow, a bare `pods` is the main resource; wide, its subresources
//!    too. `pods/exec` is one subresource, `pods/*` all of them, `*/scale` one of every resource, `*.example.com` a
//!    whole group, and `*` everything with all subresources.
//! 8. `namespaces` and `names` are patterns in which `*` is any run of characters. A request over all namespaces
//!    matches narrow only `*`, and wide every pattern. A Namespace object is in the namespace of its name. Other
//!    objects outside namespaces are in none, and in a scope with `clusterScoped: true`.
//! 9. A request without a name (a create, a list) never matches `names` narrow, always matches wide, and is masked item
//!    by item. A field selector on `metadata.name` gives a list its name. Writes answer with whole objects too: a mask
//!    that lists `verbs` leaves the answers to all others as they are.
//! 10. Discovery needs no scope, but a rule. An upgraded connection (exec, attach, port-forward) needs an allow that
//!     lists `connect` and says `insecure_opaque_stream: true` beside `allow: {}`; otherwise it is denied, by the rule
//!     `countersign/opaque-stream`.
//!
//! # Loading
//!
//! 11. A set of documents is loaded as a whole or not at all. Every error has file, line, column and what was probably
//!     meant. Unknown and duplicate fields, unknown effects, verbs and core resources, anchors, aliases, merge keys and
//!     tags are errors. So are `profile`, `limits`, `budgets`, `when`, `rewrite` and `mode`: they are not supported yet,
//!     and nothing that does nothing is accepted.
//! 12. The revision is the digest of what the documents say, whatever their order, layout and comments.
//!
//! # What a refused caller sees
//!
//! A Status 403 with the rule, what was asked, why not and, where it is known, the smallest change that would help:
//! `agent-7 may not delete pods/web-0 in namespace team-b: it is outside the scopes of triage (in scope for
//! destructive: namespaces team-a, team-a-*)`. Callers learn names of rules and scopes from that; a message of your own
//! in `deny` replaces it.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//!
//! use countersign_core::Subject;
//! use countersign_core::policy::{Facts, PolicySet, Ruling, decide};
//! use countersign_core::request::{Catalog, Gate, Target};
//! use http::HeaderMap;
//! use jiff::Timestamp;
//!
//! let text = r#"
//! apiVersion: countersign.dev/v1alpha1
//! kind: Policy
//! metadata: { name: triage }
//! spec:
//!   subjects: [{ group: agents }]
//!   scopes: [{ namespaces: [team-a] }]
//!   rules:
//!   - name: look
//!     match: { effects: [read] }
//!     allow: {}
//!   - name: deletes-need-a-human
//!     match: { effects: [destructive] }
//!     hold: { approver: [{ group: sre }] }
//! "#;
//! // A slip is an error at load, with its place.
//! let refused = PolicySet::from_yaml(&[("triage.yaml", text)]).unwrap_err();
//! assert_eq!(
//!     refused.to_string().lines().next(),
//!     Some("triage.yaml:14:13: unknown field `approver` in `hold`; did you mean `approvers`?"),
//! );
//! let policy = PolicySet::from_yaml(&[("triage.yaml", text.replace("approver:", "approvers:"))])?;
//!
//! let gate = Gate::new(Arc::new(Catalog::kubernetes()));
//! let agent = Subject::new("agent-7").with_group("agents");
//! let ask = |method: &str, target: &str| {
//!     let target = Target::parse(method, target.as_bytes()).unwrap();
//!     let request = gate.head(target, &HeaderMap::new()).unwrap().with_body(b"").unwrap();
//!     decide(&policy, &agent, request, &Facts::default(), Timestamp::now())
//! };
//!
//! let Ruling::Granted(allowed) = ask("GET", "/api/v1/namespaces/team-a/pods/web-0") else { panic!() };
//! assert_eq!(allowed.decision().fired()[0].name, "triage/look");
//!
//! let Ruling::Granted(held) = ask("DELETE", "/api/v1/namespaces/team-a/pods/web-0") else { panic!() };
//! assert_eq!(held.decision().holds()[0].rule, "triage/deletes-need-a-human");
//!
//! let Ruling::Denied { refusal, .. } = ask("DELETE", "/api/v1/namespaces/team-b/pods/web-0") else { panic!() };
//! assert_eq!(
//!     refusal.message(),
//!     "agent-7 may not delete pods/web-0 in namespace team-b: it is outside the scopes of triage",
//! );
//! assert_eq!(refusal.remedy(), Some("in scope for destructive: namespace team-a"));
//! # Ok::<(), countersign_core::policy::LoadErrors>(())
//! ```

mod admission;
mod budget;
mod condition;
mod decide;
mod document;
mod engine;
mod glob;
mod index;
mod judge;
mod limits;
mod matching;
mod question;
mod resource;
mod set;
mod wording;

pub use budget::{Budget, BudgetError, BudgetStore, Charge, Reservation, Unit};
pub use decide::{Decided, Decision, Ruling, decide};
pub use document::{LoadError, LoadErrors};
pub use engine::{
    Approver, Evaluation, Facts, FiredRule, FiredRules, HoldTerms, MaskObligation, MaskPath, Need, Outcome,
    ParseMaskPathError, Pin, PolicyEngine, Rewrite, Verdict,
};
pub use set::PolicySet;

#[cfg(test)]
mod tests;
