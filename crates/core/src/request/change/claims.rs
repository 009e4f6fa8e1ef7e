//! Claims of devices and volumes that reach beyond what their namespace has.

use super::place::{Place, elements};
use super::sightings::{Sightings, report};
use super::states::States;
use super::{Concern, Finding};
use crate::json::Value;
use crate::request::attributes::Attributes;

/// Finds admin access in claims of devices, and data of other namespaces in claims of volumes.
pub(super) fn findings(attributes: &Attributes, states: &States, out: &mut Vec<Finding>) {
    if !attributes.subresource.is_empty() {
        return;
    }
    let own = attributes.namespace.as_str();
    match (attributes.api_group.as_str(), attributes.resource.as_str()) {
        ("resource.k8s.io", "resourceclaims") => report(states, out, |object, seen| {
            devices(&Place::ROOT, object, seen);
        }),
        ("resource.k8s.io", "resourceclaimtemplates") => report(states, out, |object, seen| {
            if let Some(spec) = object.get("spec") {
                devices(&Place::ROOT.key("spec"), spec, seen);
            }
        }),
        ("", "persistentvolumeclaims") => report(states, out, |object, seen| source(object, own, seen)),
        _ => {}
    }
}

/// `owner` has the claim's `spec`.
fn devices(owner_place: &Place<'_>, owner: &Value, seen: &mut Sightings) {
    let spec = owner_place.key("spec");
    let devices = spec.key("devices");
    let list = devices.key("requests");
    for (token, request) in elements(owner.at(&["spec", "devices", "requests"])) {
        let place = list.element(token, request);
        access(&place, request, seen);
        if let Some(exactly) = request.get("exactly") {
            access(&place.key("exactly"), exactly, seen);
        }
        let alternatives = place.key("firstAvailable");
        for (token, alternative) in elements(request.get("firstAvailable")) {
            access(&alternatives.element(token, alternative), alternative, seen);
        }
    }
}

fn access(place: &Place<'_>, request: &Value, seen: &mut Sightings) {
    let granted = request.get("adminAccess");
    if let Some(granted) = granted.filter(|granted| !matches!(granted, Value::Null | Value::Bool(false))) {
        seen.anew(Concern::AdminAccess, &place.key("adminAccess"), granted, None);
    }
}

fn source(object: &Value, own: &str, seen: &mut Sightings) {
    let namespace = object
        .at(&["spec", "dataSourceRef", "namespace"])
        .and_then(Value::as_str);
    if let (Some(namespace), Some(reference)) = (
        namespace.filter(|namespace| !namespace.is_empty() && *namespace != own),
        object.at(&["spec", "dataSourceRef"]),
    ) {
        let spec = Place::ROOT.key("spec");
        let place = spec.key("dataSourceRef");
        seen.anew(
            Concern::CrossNamespace,
            &place.key("namespace"),
            reference,
            Some(namespace),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Was, found};
    use super::*;
    use crate::request::attributes::Verb;

    #[test]
    fn admin_access_and_foreign_data_are_found() {
        for (group, resource, object, expected) in [
            (
                "resource.k8s.io",
                "resourceclaims",
                r#"{"spec":{"devices":{"requests":[{"name":"a","exactly":{"adminAccess":true}},{"name":"b","adminAccess":true}]}}}"#,
                "admin-access /spec/devices/requests/0/exactly/adminAccess; admin-access /spec/devices/requests/1/adminAccess",
            ),
            (
                "resource.k8s.io",
                "resourceclaimtemplates",
                r#"{"spec":{"spec":{"devices":{"requests":[{"exactly":{"adminAccess":true}}]}}}}"#,
                "admin-access /spec/spec/devices/requests/0/exactly/adminAccess",
            ),
            (
                "resource.k8s.io",
                "resourceclaims",
                r#"{"spec":{"devices":{"requests":[{"exactly":{"adminAccess":false}}]}}}"#,
                "",
            ),
            (
                "",
                "persistentvolumeclaims",
                r#"{"spec":{"dataSourceRef":{"kind":"PersistentVolumeClaim","name":"x","namespace":"other"}}}"#,
                "cross-namespace-reference /spec/dataSourceRef/namespace other",
            ),
            (
                "",
                "persistentvolumeclaims",
                r#"{"spec":{"dataSourceRef":{"kind":"PersistentVolumeClaim","name":"x","namespace":"team-a"}}}"#,
                "",
            ),
            ("resource.k8s.io", "resourceclaims", r#"{"spec":[{"devices":7}]}"#, ""),
        ] {
            let mut attributes = Attributes::for_test(Verb::Create, group, resource);
            attributes.namespace = "team-a".to_owned().into();
            let found = found(&Was::Nothing, object, |states, out| findings(&attributes, states, out));
            assert_eq!(found.join("; "), expected, "{object}");
        }
    }
}
