//! Tests of policies, as files: what becomes of which request of whom.
//!
//! ```yaml
//! apiVersion: countersign.dev/v1alpha1
//! kind: PolicyTest
//! metadata: { name: triage }
//! spec:
//!   subject: { user: agent-7, groups: [agents] }          # of every case that names none
//!   cases:
//!   - name: pods are read
//!     request: { verb: list, resource: pods, namespace: team-a }
//!     expect: { outcome: allow, rule: triage/look }
//!   - name: a deletion waits for a human
//!     request: { method: DELETE, path: /api/v1/namespaces/team-a/pods/web-0 }
//!     expect: { outcome: hold, rule: triage/deletions, effects: [destructive] }
//!   - name: not the database
//!     subject: { user: agent-8, groups: [agents], onBehalfOf: ann@example.com }
//!     request: { verb: patch, patch: merge, resource: configmaps, namespace: team-a, name: db, body: { data: { a: b } } }
//!     live: { apiVersion: v1, kind: ConfigMap, metadata: { name: db, namespace: team-a } }
//!     expect: { outcome: deny, message: "Ask the database team*" }
//! ```
//!
//! 1. A request is written as it is sent (`method`, `path`, `headers`, `body`), or in the words of RBAC: `verb`,
//!    `resource` (`deployments.apps/scale`), `namespace`, `name`, with `version` (`v1`, or that of the body's
//!    `apiVersion`), `patch` (`merge`, `json`, `strategic`, `apply`), `query`, `headers` and `body`. The body is YAML, or
//!    text that is sent as it is. Exec, attach and port-forward ask for a WebSocket.
//! 2. `live` is the object as the server has it, `namespaceObject` the Namespace; `absent` if there is none. A case that
//!    needs one of them and does not give it fails and says so. `now` is the time; it is 1970 where none is said.
//! 3. `expect` has `outcome` (`allow`, `deny`, `hold`), and of the rest what matters: `rule`, one that fired and asked for
//!    this outcome; `effects`, all that the request has; `message`, a pattern; `rewrites`, `masks` and `shadow`, all rules
//!    that fired and rewrite, mask, or are in shadow. What the gate refuses is a `deny` whose rule is that of the refusal.
//! 4. The request goes through the same gate and the same decision as any other. Rewrites are told, not made.
//! 5. Rules of the policy's own documents that no case made fire are listed: nobody would notice if they changed.

mod load;
mod report;
mod request;
mod run;
mod spec;

use super::document::LoadErrors;
use super::set::PolicySet;
use crate::request::Gate;

pub use report::{CaseReport, Difference, TestReport};

/// Tests of policies. What they are is in the example of [`run`](Self::run).
#[derive(Debug, Clone)]
pub struct PolicyTests {
    cases: Vec<spec::Case>,
}

impl PolicyTests {
    /// Loads documents of the kind `PolicyTest` from the texts of named files.
    ///
    /// # Errors
    /// Everything that is wrong with them, with file, line and column.
    pub fn from_yaml(sources: &[(impl AsRef<str>, impl AsRef<str>)]) -> Result<Self, LoadErrors> {
        let sources = sources.iter().map(|(name, text)| (name.as_ref(), text.as_ref()));
        Ok(Self {
            cases: load::load(sources)?,
        })
    }

    /// Number of cases.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Whether there are no cases.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// Runs all cases.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use countersign_core::policy::{PolicySet, PolicyTests};
    /// use countersign_core::request::{Catalog, Gate};
    ///
    /// let policy = PolicySet::from_yaml(&[("triage.yaml", r#"
    /// apiVersion: countersign.dev/v1alpha1
    /// kind: Policy
    /// metadata: { name: triage }
    /// spec:
    ///   subjects: [{ group: agents }]
    ///   scopes: [{ namespaces: [team-a] }]
    ///   rules:
    ///   - name: look
    ///     match: { effects: [read] }
    ///     allow: {}
    /// "#)])?;
    /// let tests = PolicyTests::from_yaml(&[("triage.test.yaml", r#"
    /// apiVersion: countersign.dev/v1alpha1
    /// kind: PolicyTest
    /// metadata: { name: triage }
    /// spec:
    ///   subject: { user: agent-7, groups: [agents] }
    ///   cases:
    ///   - name: pods are read
    ///     request: { verb: list, resource: pods, namespace: team-a }
    ///     expect: { outcome: allow, rule: triage/look }
    ///   - name: nothing is deleted
    ///     request: { verb: delete, resource: pods, namespace: team-a, name: web-0 }
    ///     expect: { outcome: hold }
    /// "#)])?;
    /// let report = tests.run(&policy, &Gate::new(Arc::new(Catalog::kubernetes())));
    /// assert_eq!((report.passed(), report.failed()), (1, 1));
    /// assert!(report.to_string().contains("outcome   expected hold"));
    /// # Ok::<(), countersign_core::policy::LoadErrors>(())
    /// ```
    #[must_use]
    pub fn run(&self, policy: &PolicySet, gate: &Gate) -> TestReport {
        run::run(&self.cases, policy, gate)
    }
}

#[cfg(test)]
mod tests;
