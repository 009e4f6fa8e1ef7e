//! The policy parser, and what it makes.

use std::sync::LazyLock;

use countersign_core::Subject;
use countersign_core::policy::{Facts, LoadErrors, PolicyEngine as _, PolicySet, Ruling, decide};
use countersign_core::request::Canonical;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use crate::new_gate;

/// Another document, to be loaded beside the input.
const OTHER: &str = "
apiVersion: countersign.dev/v1alpha1
kind: Policy
metadata: { name: other-than-the-input }
spec:
  subjects: [{ group: agents }]
  rules:
  - { name: look, match: { effects: [discovery] }, allow: {} }
";

static REQUESTS: LazyLock<Vec<Canonical>> = LazyLock::new(requests);

/// Loads a file; whether it is a policy.
///
/// # Panics
/// If loading it panics, finds errors without a place in it, or depends on anything but what is in it.
pub fn check(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let policy = match load(&[&text]) {
        Ok(policy) => policy,
        Err(errors) => {
            check_errors(&errors, &text);
            let again = load(&[&text]).expect_err("refused, and not the second time");
            assert_eq!(errors.to_string(), again.to_string());
            return false;
        }
    };
    let again = load(&[&text]).expect("loaded, and not the second time");
    assert_eq!(policy.revision(), again.revision());
    let (before, after) = (load(&[OTHER, &text]), load(&[&text, OTHER]));
    assert_eq!(before.is_ok(), after.is_ok(), "whether it loads depends on the order");
    for request in &*REQUESTS {
        assert_eq!(decided(&policy, request), decided(&again, request));
        if let (Ok(before), Ok(after)) = (&before, &after) {
            assert_eq!(decided(before, request), decided(after, request));
        }
    }
    if let (Ok(before), Ok(after)) = (before, after) {
        assert_eq!(before.revision(), after.revision());
        assert_ne!(before.revision(), policy.revision());
    }
    true
}

fn load(texts: &[&str]) -> Result<PolicySet, LoadErrors> {
    let sources: Vec<_> = texts.iter().map(|text| ("policy.yaml", *text)).collect();
    PolicySet::from_yaml(&sources)
}

fn check_errors(errors: &LoadErrors, text: &str) {
    // A carriage return alone breaks a line in YAML.
    let lines = text.split(['\n', '\r']).count();
    assert!(!errors.errors().is_empty());
    for error in errors.errors() {
        assert!(
            (1..=lines).contains(&error.line) && error.column >= 1,
            "not in the file: {error}"
        );
        assert!(!error.message.is_empty());
    }
}

/// The outcome with all that belongs to it, as text.
fn decided(policy: &PolicySet, request: &Canonical) -> String {
    let agent = Subject::new("agent-7").with_group("agents");
    match decide(
        policy,
        &agent,
        request.clone(),
        &Facts::default(),
        Timestamp::UNIX_EPOCH,
    ) {
        Ruling::Granted(granted) => format!("{:?}", granted.decision()),
        Ruling::Denied { decision, refusal } => format!("{refusal:?} {decision:?}"),
        Ruling::Needs { needs, .. } => format!("{needs:?}"),
    }
}

fn requests() -> Vec<Canonical> {
    let requests = [
        ("GET", "/version", ""),
        ("GET", "/api/v1/namespaces/team-a/pods/web-0", ""),
        ("GET", "/api/v1/secrets?watch=true", ""),
        ("GET", "/api/v1/namespaces/team-a/pods/web-0/log", ""),
        (
            "POST",
            "/apis/apps/v1/namespaces/team-a/deployments",
            r#"{"metadata":{"name":"web"},"spec":{"replicas":50}}"#,
        ),
        (
            "PATCH",
            "/api/v1/namespaces/kube-system/configmaps/a-internal",
            r#"{"data":{"a":"b"}}"#,
        ),
        ("DELETE", "/api/v1/namespaces/team-a/pods/web-0", ""),
        ("DELETE", "/api/v1/namespaces/agent-guard/pods/web-0", ""),
        ("POST", "/api/v1/namespaces/team-b/pods/web-0/eviction", "{}"),
        ("PUT", "/apis/rbac.authorization.k8s.io/v1/clusterroles/admin", "{}"),
        ("GET", "/apis/example.com/v1/namespaces/team-a/widgets", ""),
    ];
    let gate = new_gate();
    let understand = |(method, target, body): (&str, &str, &str)| {
        let mut headers = HeaderMap::new();
        let content_type = if method == "PATCH" {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        headers.insert("content-type", HeaderValue::from_static(content_type));
        let head = gate.head(gate.target(method, target.as_bytes())?, &headers)?;
        head.with_body(body.as_bytes())
    };
    requests
        .into_iter()
        .map(|request| understand(request).expect("an acceptable request"))
        .collect()
}
