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
//!   subjects: [{ group: agents }, { user: "system:serviceaccount:agents:*", onBehalfOf: "*@example.com" }]
//!   profile: operate                       # speaks where the rules below do not
//!   scopes:                                # what is permitted is permitted in here
//!   - namespaces: [team-a, "team-a-*"]
//!   - namespaces: ["*"]                    # reads everywhere
//!     clusterScoped: true
//!     effects: [read, read-stream, review]
//!   limits:                                # and inside of these
//!     images: ["registry.example.com/*"]
//!     replicas: { min: 1, max: 20 }
//!     applyManagers: [agent-7]
//!   approval: { approvers: [{ group: sre }], quorum: 1, timeout: 10m, pin: uid }
//!   rules:
//!   - name: evictions
//!     match: { resources: [pods/eviction], labels: { tier: "batch*" } }
//!     allow: {}
//!   - name: not-the-database
//!     match: { names: ["db-*"], effects: [write, destructive] }
//!     deny: { message: "Ask the database team." }
//!   - name: cap-replicas
//!     match: { verbs: [create, update, patch], resources: [deployments.apps] }
//!     when: object.?spec.?replicas.orValue(1) > 20
//!     rewrite: [{ op: replace, path: /spec/replicas, value: 20 }]
//!   - name: hide-internal-config
//!     match: { resources: [configmaps], names: ["*-internal"] }
//!     mask: { paths: ["data.*"] }
//!   - name: no-jobs-at-all
//!     match: { resources: [jobs.batch], effects: [write] }
//!     mode: shadow                         # recorded and warned about, not enforced
//!     deny: {}
//!   masking:
//!     kinds: [{ kind: Widget, groups: [example.com], path: spec.apiKey, treatment: mask }]
//!     writeBack: restore                   # so that `kubectl replace` of a Secret that was read works
//!   budgets:
//!   - { name: deletions, effects: [destructive], count: objects, max: 5, per: 1h }
//! ```
//!
//! # Outcome
//!
//! 1. The strongest outcome wins: deny over hold over allow. What no rule permits is denied.
//! 2. A rule asks for one of `allow: {}`, `deny: { message }`, `hold: { approvers, quorum, timeout, pin }`,
//!    `rewrite: [{ op, path, value }]` and `mask: { paths }`. Rewrites and masks never permit. Every rule that fired is
//!    in the decision, as `document/rule`.
//! 3. Of several holds that fired, all have to be met. What a hold leaves out, `spec.approval` says; what that leaves
//!    out is a quorum of 1, a timeout of ten minutes and the pin `resourceVersion`. A hold that nobody could end is an
//!    error at load.
//! 4. Of several documents about one subject, an allow or a hold permits inside the scopes and limits of its own document
//!    only; deny, hold, rewrite, mask and budgets restrict everywhere. The order of documents has no meaning.
//! 5. `mode: shadow`, of a rule or a document, evaluates and records without enforcing: nothing in shadow permits,
//!    denies, holds, rewrites or masks. The caller is warned of what would have happened.
//!
//! # Subjects
//!
//! 6. An entry of `subjects` has `user` (an agent that embeds the guard may say `agent`, which is the same), `group`,
//!    `onBehalfOf` or several of them, all patterns; all of one entry have to fit, and one entry has to.
//!
//! # Matching
//!
//! What `match` or a scope leaves out matches everything. A rule matches *narrow* where it permits (an allow, a scope,
//! a hold as far as it permits) and *wide* where it restricts (a deny, a rewrite, a mask, a hold as far as it restricts).
//!
//! 7. `effects`: narrow, all effects of the request are listed; wide, any one. A change that may take something away is
//!    `write` and `destructive`; so allow both and hold `destructive`. An allow or a hold that does not list
//!    effects permits none of `connect`, `credential` and `escalation`. A review of what others may do
//!    (`subjectaccessreviews`, `localsubjectaccessreviews`) is permitted only where `resources` lists it by name. What
//!    has the effect `self` touches the guard and is always denied, by the rule `countersign/self`.
//! 8. `verbs` are those of RBAC, and match as effects do. An apply counts as `patch` and `create`, a PUT as `update` and
//!    `create`, an upgrade as `get` and `create`, a HEAD as `get`, an eviction as `delete`. A mask meets a change like a
//!    read, since its answer shows the object.
//! 9. `resources`: `pods` is of the core group, `deployments.apps` of any other; versions never count, and a resource
//!    that is served under several groups is one. Narrow, a bare `pods` is the main resource; wide, its subresources
//!    too. `pods/exec` is one subresource, `pods/*` all of them, `*/scale` one of every resource, `*.example.com` a
//!    whole group, and `*` everything with all subresources.
//! 10. `namespaces` and `names` are patterns in which `*` is any run of characters. A request over all namespaces
//!     matches narrow only `*`, and wide every pattern. A Namespace object is in the namespace of its name. Other
//!     objects outside namespaces are in none, and in a scope with `clusterScoped: true`.
//! 11. A request without a name (a create, a list) never matches `names` narrow, always matches wide, and is masked item
//!     by item. A field selector on `metadata.name` gives a list its name. Writes answer with whole objects too: a mask
//!     that lists `verbs` leaves the answers to all others as they are.
//! 12. `labels: { app: web, tier: "*" }`: all of these labels, with values that fit the patterns. Narrow, the object has
//!     them before and after the request; wide, before or after. The object is read for that where it has to be; of a list
//!     nobody knows the labels, so it never matches narrow and always wide.
//! 13. Discovery needs no scope, but a rule. An upgraded connection (exec, attach, port-forward) needs an allow that
//!     lists `connect` and says `insecure_opaque_stream: true` beside `allow: {}`; otherwise it is denied, by the rule
//!     `countersign/opaque-stream`.
//!
//! # Conditions
//!
//! 14. `when` is an expression in [CEL](https://cel.dev) that has to hold besides, with the names and functions of
//!     ValidatingAdmissionPolicy (`object`, `oldObject`, `request`, `namespaceObject`) and `subject`, `effects`,
//!     `exec` and `now`. `object` is the object as the request leaves it, null on a deletion; `oldObject` as it is,
//!     null on a create. A rule that reads one of them is about changes alone: on a read it does not fire.
//! 15. What a condition reads is fetched for it. One that can't be evaluated is a deny, whatever its rule asks for: a
//!     field that may be missing is asked for with `has(…)` or `.?` first. Conditions are bounded in size and steps;
//!     one that takes more can't be evaluated.
//!
//! # Guardrails
//!
//! 16. ValidatingAdmissionPolicy documents with their bindings and parameters are loaded from the same files. They
//!     judge every change, deletion and connection of every subject, whatever other documents say, and only restrict:
//!     a failed validation whose binding says `Deny` is a deny with the policy's message, `Warn` a warning, `Audit` a
//!     note in the record. `object` is what the request says, without what the server would add.
//!
//! # Limits
//!
//! 17. What a change does is found out from its body and, where it matters, the live object: a list of
//!     [concerns](crate::request::Concern). Each has a weight. What takes something away gives the request the effect
//!     `destructive`. What gives a workload rights or values that the agent does not have needs a human: an allow
//!     permits it after an approval on the terms of `spec.approval`, by the rule `countersign/<concern>`; a hold of
//!     the document that itself permits the request is that human already. Without approvers it is a deny. What is on
//!     the hard deny list is not permitted at all.
//! 18. `limits` says what is of no concern: `images` (patterns; `*` crosses `/`), `replicas: { min, max }`,
//!     `applyManagers` (patterns of field managers), `secretAnnotations` (patterns of keys) and `capabilities` that
//!     containers may add. What is left out is of concern: without `images` every image, without `applyManagers`
//!     every apply. Replicas are of concern where a change of what exists sets them: outside of `min` and `max`, and
//!     0 unless `min` is 0.
//! 19. `insecure_permit: [host-path]` takes an entry off the hard deny list, by the name of its concern. Rules have
//!     to permit the request as any other.
//! 20. A dry run (`dryRun=All`) is `write` without `destructive`, unless it supplies a value where one may be masked,
//!     which could tell whether it was guessed right, or goes to an aggregated server, which may not know of dry
//!     runs. It lowers nothing else.
//!
//! # Rewrites
//!
//! 21. `op` is `add`, `replace` or `remove`, `path` a JSON Pointer into the object. The request that comes out passes
//!     the gate and is decided again, until nothing is left to rewrite; after four rounds it is refused. What was
//!     denied or held before does not count, only what is decided of the request that goes on; all rewrites are in
//!     that decision. What says which object a request is about (`apiVersion`, `kind`, `metadata.name`,
//!     `generateName`, `namespace`, `uid`, `resourceVersion`) and `managedFields` can't be rewritten.
//! 22. Two rules that could both be about one request and rewrite the same path, or one below the other, are an error
//!     at load. Rules are told apart by subjects, verbs, resources, namespaces, and by names where a request has one;
//!     not by effects and labels, of which a request can have several.
//! 23. One rewrite is the guard's own, `countersign/token-mount`: pods and templates that are created get
//!     `automountServiceAccountToken: false` where they leave it open. `true` is a concern.
//!
//! # Budgets
//!
//! 24. `max` in a sliding window `per` (at most 30 days, `720h`), for each subject: of requests with any one of the
//!     `effects`, or of the objects that they touch. A request that is denied anyway draws on none; one that is never
//!     sent gets back what was reserved for it.
//!
//! # Masking
//!
//! What is [always masked](crate::mask) needs no policy. `masking` adds to it, and says what becomes of masked values:
//!
//! - `strict: true`: every value of environment variables and ConfigMaps, whatever it looks like.
//! - `kinds: [{ kind, groups, path, treatment, why }]`: fields of kinds. `mask` replaces every value, `mask-base64` by the
//!   base64 of the marker, `scan` what looks like a secret or has the name of one.
//! - `detect: { rules: [{ id, description, why, pattern, examples }] }`: what is looked for in text. The group `secret`
//!   of the pattern is what is replaced, else all of the match. The examples are its tests, at load. `names`:
//!   names whose values are secret. `pii: true`: card numbers, IBANs, e-mail addresses. `insecure_disable`: shipped rules
//!   that are not wanted.
//! - `insecure_forget_known_values: true`: what was masked is not remembered, and not found again in logs and elsewhere.
//! - `writeBack: restore`: a marker that comes back in the `data` of a Secret, in an update or a merge patch that names the
//!   `resourceVersion` it was read at, is the live value of the same key. Everywhere else, and without `restore`
//!   everywhere, a write that carries the marker is refused with 422.
//! - `accept: refuse`: 406 for a caller that accepts no JSON, instead of JSON.
//! - `warning: false`: no `Warning` header says how many values were masked. By default it does, where that is known before
//!   the answer goes out: not before watches, logs and answers of more than 64 KiB.
//!
//! Of several documents about a subject, those without `masking` say nothing. What the others add, adds up. Of the rest the
//! stricter counts, field by field, and what a document leaves out it wants as it is by default: so a weakening counts only
//! if all of them say it. Documents in shadow say nothing.
//!
//! # Profiles
//!
//! 25. A profile is a shipped document (`policy/profiles/`) whose rules are asked, all of them, where those of the
//!     document neither permit nor deny. They permit inside the scopes and limits of the document, and hold on the
//!     terms of its `spec.approval`, which `suggest` and `operate` therefore need.
//!     - Where a rule of the document permits, by an allow or a hold, or denies, the profile says nothing: an allow
//!       of your own is not held or denied by the profile.
//!     - A hold of the document that restricts a request without permitting it leaves the permitting to the profile;
//!       then the holds of both have to be met.
//!     - Masks, rewrites and what is in shadow silence nothing.
//! 26. What they permit, with a table of requests beside each (`policy/profiles/<profile>.behaviour.txt`):
//!     - `observe`: discovery, reads, watches, logs outside of `kube-system`, `kube-public` and `kube-node-lease`,
//!       reviews about oneself.
//!     - `suggest`: the same, and changes as dry runs, except those that could be guesses at what is masked; none of
//!       them in those three namespaces, no status.
//!     - `operate`: the same as `observe`, and changes, held where they may take something away; none of them in
//!       those three namespaces; no status, no connections.
//!
//! # Loading
//!
//! 27. A set of documents is loaded as a whole or not at all. Every error has file, line, column and what was
//!     probably meant. Unknown and duplicate fields, unknown effects, verbs, capabilities, concerns and core
//!     resources, anchors, aliases, merge keys and tags are errors, and so is a condition with a mistake in it.
//! 28. What is no error but can't be meant is a [warning](PolicySet::warnings): resources of Kubernetes' groups that
//!     do not exist, rules that can never fire or say what another says, budgets of what nothing permits.
//! 29. The revision is the digest of what the documents say, profiles and guardrails included, whatever their order,
//!     layout and comments.
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
//! assert_eq!(&*allowed.decision().fired()[0].name, "triage/look");
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
mod cover;
mod decide;
mod denial;
mod document;
mod engine;
mod explain;
mod glob;
mod index;
mod judge;
mod limits;
mod masks;
mod matching;
mod nearest;
mod overlap;
mod question;
mod reload;
mod resource;
pub mod schema;
mod set;
mod suite;
mod wording;
mod write_back;

#[cfg(any(test, feature = "conformance"))]
pub use budget::conformance as budget_conformance;
pub use budget::{Budget, BudgetError, BudgetStore, Charge, Charged, MemoryBudgets, Reservation, Unit, budget_refusal};
pub use decide::{Decided, Decision, Ruling, decide};
pub use denial::Denial;
pub use document::{LoadError, LoadErrors, LoadWarning};
pub use engine::{
    Approver, Evaluation, Facts, FiredRule, FiredRules, HoldTerms, MaskObligation, MaskPath, Need, Outcome,
    ParseMaskPathError, Pin, PolicyEngine, Rewrite, Verdict,
};
pub use explain::{
    Condition, ExplainedDocument, ExplainedFinding, ExplainedRule, ExplainedScope, Explanation, Miss, Standing,
};
pub use reload::ReloadablePolicy;
pub use set::PolicySet;
pub use suite::{CaseReport, Difference, PolicyTests, TestReport};
pub(crate) use write_back::live_value;

#[cfg(test)]
mod tests;
