//! The rules about what a change gives, in one place.
//!
//! [`hard_deny`](super::hard_deny) is not among them: it needs no body, and deletions are subject to it too.

use std::collections::BTreeMap;

use super::states::States;
use super::{Finding, claims, routing, secret_annotation, service, workload};
use crate::json::Value;
use crate::request::attributes::Attributes;
use crate::request::catalog::Kind;

/// Most findings of one concern. The last of them stands for the rest: it has no place and no value, so that no list of
/// a policy has it, and a value that is not listed can't hide behind many that are.
const MAX_OF_ONE: usize = 64;

/// Finds what a create, an update or a patch gives, to whom it reaches and what it hands to controllers. `body` is what
/// was sent.
#[cfg_attr(not(test), expect(dead_code, reason = "until `Change::of` calls it"))]
pub(super) fn findings(attributes: &Attributes, kind: &Kind, body: &Value, states: &States, out: &mut Vec<Finding>) {
    let mut found = Vec::new();
    workload::findings(attributes, kind, states, &mut found);
    service::findings(attributes, states, &mut found);
    routing::findings(attributes, states, &mut found);
    claims::findings(attributes, states, &mut found);
    secret_annotation::findings(attributes, body, states, &mut found);
    let mut counts = BTreeMap::new();
    for mut finding in found {
        let count: &mut usize = counts.entry(finding.concern).or_default();
        *count += 1;
        if *count == MAX_OF_ONE {
            finding.path = String::new();
            finding.value = None;
        }
        if *count <= MAX_OF_ONE {
            out.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Concern;
    use super::super::cases::{Was, found};
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
            let found = all("", "pods", &body);
            assert_eq!(found.len(), MAX_OF_ONE);
            assert_eq!(found.last().unwrap(), "image ", "{count}");
        }
        let one_less = vec![r#"{"image":"good"}"#; 63].join(",");
        let found = all("", "pods", &format!(r#"{{"spec":{{"containers":[{one_less}]}}}}"#));
        assert_eq!(found.last().unwrap(), "image /spec/containers/62/image good");
    }
}
