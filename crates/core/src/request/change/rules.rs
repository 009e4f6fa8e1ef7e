//! The rules about what a change gives, in one place.
//!
//! [`hard_deny`](super::hard_deny) is not among them: it needs no body, and deletions are subject to it too.

use super::states::States;
use super::{Finding, claims, routing, secret_annotation, service, workload};
use crate::json::Value;
use crate::request::attributes::Attributes;
use crate::request::catalog::Kind;

/// Finds what a create, an update or a patch gives, to whom it reaches and what it hands to controllers. `body` is what
/// was sent.
pub(super) fn findings(attributes: &Attributes, kind: &Kind, body: &Value, states: &States, out: &mut Vec<Finding>) {
    workload::findings(attributes, kind, states, out);
    service::findings(attributes, states, out);
    routing::findings(attributes, body, states, out);
    claims::findings(attributes, states, out);
    secret_annotation::findings(attributes, body, states, out);
}

#[cfg(test)]
mod tests {
    use super::super::Concern;
    use super::super::cases::{Was, found};
    use super::super::collected::{Collected, MAX_OF_ONE};
    use super::super::states::Before;
    use super::*;
    use crate::request::attributes::Verb;
    use crate::request::{Catalog, ResourceCatalog as _};

    fn all(group: &str, resource: &str, body: &str) -> Vec<String> {
        let attributes = Attributes::for_test(Verb::Create, group, resource);
        let kind = Catalog::kubernetes().lookup(group, resource).unwrap();
        let value = Value::parse(body.as_bytes()).unwrap();
        found(&Was::Nothing, body, |states, out| {
            findings(&attributes, &kind, &value, states, out);
        })
    }

    #[test]
    fn every_rule_is_asked() {
        for (group, resource, body, concern) in [
            ("", "pods", r#"{"spec":{"hostPID":true}}"#, Concern::HostPid),
            (
                "",
                "services",
                r#"{"spec":{"externalIPs":["10.0.0.1"]}}"#,
                Concern::ExternalIps,
            ),
            (
                "networking.k8s.io",
                "ingresses",
                r#"{"metadata":{"annotations":{"nginx.org/server-snippets":"x"}}}"#,
                Concern::IngressSnippet,
            ),
            (
                "resource.k8s.io",
                "resourceclaims",
                r#"{"spec":{"devices":{"requests":[{"adminAccess":true}]}}}"#,
                Concern::AdminAccess,
            ),
            (
                "",
                "secrets",
                r#"{"metadata":{"annotations":{"a":"b"}}}"#,
                Concern::SecretAnnotation,
            ),
        ] {
            let found = all(group, resource, body);
            assert_eq!(found.len(), 1, "{body}");
            assert!(found.iter().all(|line| line.starts_with(concern.as_str())), "{body}");
        }
        assert!(all("", "configmaps", r#"{"data":{"a":"b"}}"#).is_empty());
    }

    #[test]
    fn nothing_hides_behind_many() {
        for count in [63, 64, 10_000] {
            let containers = vec![r#"{"image":"good"}"#; count].join(",");
            let body = format!(r#"{{"spec":{{"containers":[{containers},{{"image":"evil"}}]}}}}"#);
            let found = collected(&body);
            assert_eq!(found.len(), MAX_OF_ONE);
            assert!(found.iter().any(|finding| finding.value.is_none()), "{count}");
        }
        let one_less = vec![r#"{"image":"good"}"#; 63].join(",");
        let found = collected(&format!(r#"{{"spec":{{"containers":[{one_less}]}}}}"#));
        assert!(found.iter().all(|finding| finding.value.as_deref() == Some("good")));
    }

    fn collected(body: &str) -> super::super::Findings {
        let attributes = Attributes::for_test(Verb::Create, "", "pods");
        let kind = Catalog::kubernetes().lookup("", "pods").unwrap();
        let value = Value::parse(body.as_bytes()).unwrap();
        let states = States {
            before: Before::Nothing,
            after: value.clone(),
        };
        let (mut found, mut all) = (Vec::new(), Collected::default());
        findings(&attributes, &kind, &value, &states, &mut found);
        found.into_iter().for_each(|finding| all.add(finding));
        all.into_sorted()
    }
}
