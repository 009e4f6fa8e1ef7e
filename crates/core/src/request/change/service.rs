//! A Service that takes traffic of others, or sends its own elsewhere.

use super::place::{Place, elements, present};
use super::sightings::{Sightings, report};
use super::states::States;
use super::{Concern, Finding};
use crate::json::Value;
use crate::request::attributes::Attributes;

/// Annotations by which load balancers of clusters take an address, as `loadBalancerIP` does.
const ADDRESS_ANNOTATIONS: [&str; 6] = [
    "metallb.universe.tf/loadBalancerIPs",
    "metallb.io/loadBalancerIPs",
    "kube-vip.io/loadbalancerIPs",
    "io.cilium/lb-ipam-ips",
    "lbipam.cilium.io/ips",
    "purelb.io/addresses",
];

/// Finds what a change of a Service takes.
pub(super) fn findings(attributes: &Attributes, states: &States, out: &mut Vec<Finding>) {
    let service = (attributes.api_group.as_str(), attributes.resource.as_str()) == ("", "services");
    if service && attributes.subresource.is_empty() {
        report(states, out, look);
    }
}

fn look(object: &Value, seen: &mut Sightings) {
    let place = Place::ROOT.key("spec");
    if let Some(spec) = object.get("spec") {
        let list = place.key("externalIPs");
        for (token, address) in elements(spec.get("externalIPs")) {
            seen.anew(
                Concern::ExternalIps,
                &list.element(token, address),
                address,
                address.as_str(),
            );
        }
        if let Some(address) = filled(spec, "loadBalancerIP") {
            seen.anew(
                Concern::LoadBalancerIp,
                &place.key("loadBalancerIP"),
                address,
                address.as_str(),
            );
        }
        let external_name = filled(spec, "externalName");
        if let Some(name) = external_name {
            seen.anew(Concern::ExternalName, &place.key("externalName"), name, name.as_str());
        }
        if let Some(kind) = spec.get("type").filter(|kind| kind.as_str() == Some("ExternalName")) {
            seen.anew(
                Concern::ExternalName,
                &place.key("type"),
                kind,
                external_name.and_then(Value::as_str),
            );
        }
    }
    let metadata = Place::ROOT.key("metadata");
    let place = metadata.key("annotations");
    for key in ADDRESS_ANNOTATIONS {
        let annotations = object.at(&["metadata", "annotations"]);
        if let Some(address) = annotations.and_then(|annotations| filled(annotations, key)) {
            seen.anew(Concern::LoadBalancerIp, &place.key(key), address, address.as_str());
        }
    }
}

/// A member that is there and no empty text.
fn filled<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    present(value, key).filter(|member| member.as_str() != Some(""))
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Was, found};
    use super::*;
    use crate::request::attributes::Verb;

    fn findings_of(was: &Was, after: &str) -> Vec<String> {
        let attributes = Attributes::for_test(Verb::Create, "", "services");
        found(was, after, |states, out| findings(&attributes, states, out))
    }

    #[test]
    fn what_takes_traffic_or_sends_it_elsewhere_is_found() {
        for (service, expected) in [
            (
                r#"{"spec":{"type":"ExternalName","externalName":"kubernetes.default.svc"}}"#,
                "external-name /spec/externalName kubernetes.default.svc; external-name /spec/type kubernetes.default.svc",
            ),
            (
                r#"{"spec":{"externalIPs":["10.0.0.1","10.0.0.2"]}}"#,
                "external-ips /spec/externalIPs/0 10.0.0.1; external-ips /spec/externalIPs/1 10.0.0.2",
            ),
            (
                r#"{"spec":{"type":"LoadBalancer","loadBalancerIP":"10.0.0.1"}}"#,
                "load-balancer-ip /spec/loadBalancerIP 10.0.0.1",
            ),
            (
                r#"{"metadata":{"annotations":{"metallb.universe.tf/loadBalancerIPs":"10.0.0.1"}}}"#,
                "load-balancer-ip /metadata/annotations/metallb.universe.tf~1loadBalancerIPs 10.0.0.1",
            ),
            (
                r#"{"spec":{"externalIPs":{"-":"10.0.0.1"}}}"#,
                "external-ips /spec/externalIPs/- 10.0.0.1",
            ),
        ] {
            assert_eq!(findings_of(&Was::Nothing, service).join("; "), expected, "{service}");
        }
    }

    #[test]
    fn an_ordinary_service_is_free_of_findings() {
        for service in [
            r#"{"spec":{"type":"ClusterIP","selector":{"a":"b"},"ports":[{"port":80}],"externalIPs":[],"loadBalancerIP":""}}"#,
            r#"{"spec":{"type":"NodePort"},"metadata":{"annotations":{"a":"b"}}}"#,
            r#"{"spec":null,"metadata":7}"#,
            r#"{"spec":[],"metadata":{"annotations":[]}}"#,
        ] {
            assert_eq!(findings_of(&Was::Nothing, service), Vec::<String>::new(), "{service}");
        }
    }

    #[test]
    fn only_what_is_new_is_found() {
        let before = r#"{"spec":{"externalIPs":["10.0.0.1"],"loadBalancerIP":"10.0.0.9"}}"#;
        let after = r#"{"spec":{"externalIPs":["10.0.0.2","10.0.0.1"],"loadBalancerIP":"10.0.0.9"}}"#;
        assert_eq!(
            findings_of(&Was::Seen(before), after),
            ["external-ips /spec/externalIPs/0 10.0.0.2"]
        );
        assert_eq!(
            findings_of(&Was::NotRead, after).first().unwrap(),
            "external-ips /spec/externalIPs/0 10.0.0.2 (assumed)"
        );
    }
}
