//! What a pod's specification and its annotations say of the pod as a whole.

use super::templates::Template;
use super::{container, security, volume};
use crate::json::Value;
use crate::request::change::Concern;
use crate::request::change::place::{Place, elements, present};
use crate::request::change::sightings::Sightings;
use crate::request::pod_specs::CONTAINER_LISTS;

/// Namespaces of the node.
const HOST_NAMESPACES: [(&str, Concern); 3] = [
    ("hostNetwork", Concern::HostNetwork),
    ("hostPID", Concern::HostPid),
    ("hostIPC", Concern::HostIpc),
];

/// Taints of control planes: of kubeadm and what came before it, of RKE, and of K3s.
const CONTROL_PLANE_TAINTS: [&str; 5] = [
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/controlplane",
    "node-role.kubernetes.io/master",
    "node-role.kubernetes.io/etcd",
    "CriticalAddonsOnly",
];

pub(super) fn look(template: &Template<'_>, seen: &mut Sightings) {
    annotations(template, seen);
    let (place, spec) = (&template.place, template.spec);
    for (key, concern) in HOST_NAMESPACES {
        if let Some(value) = switched_on(spec, key) {
            seen.anew(concern, &place.key(key), value, None);
        }
    }
    // Off is a user namespace of the pod's own; on is what there is without one.
    switch(spec, place, "hostUsers", Concern::HostUsers, seen);
    switch(spec, place, "automountServiceAccountToken", Concern::TokenMount, seen);
    if let Some(node) = present(spec, "nodeName").filter(|node| **node != "".into()) {
        seen.anew(Concern::NodeName, &place.key("nodeName"), node, node.as_str());
    }
    account(spec, place, seen);
    let list = place.key("imagePullSecrets");
    for (token, secret) in elements(spec.get("imagePullSecrets")) {
        let name = secret.get("name").and_then(Value::as_str);
        seen.anew(Concern::SecretReference, &list.element(token, secret), secret, name);
    }
    let list = place.key("tolerations");
    for (token, toleration) in elements(spec.get("tolerations")) {
        if tolerates_control_planes(toleration) {
            let key = toleration.get("key").and_then(Value::as_str);
            seen.anew(
                Concern::ControlPlaneToleration,
                &list.element(token, toleration),
                toleration,
                key,
            );
        }
    }
    if let Some(context) = present(spec, "securityContext") {
        let place = place.key("securityContext");
        security::look(&place, context, seen);
        seen.changed(Concern::TemplateChange, &place, context);
    }
    let list = place.key("volumes");
    for (token, element) in elements(spec.get("volumes")) {
        volume::look(&list.element(token, element), element, seen);
    }
    for key in CONTAINER_LISTS {
        let list = place.key(key);
        for (token, element) in elements(spec.get(key)) {
            container::look(&list.element(token, element), element, seen);
        }
    }
}

/// A boolean that is anything but false.
pub(super) fn switched_on<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    present(value, key).filter(|switch| **switch != Value::Bool(false))
}

/// A boolean of which `true` is of concern, and the loss of `false` too, since nothing said means true.
fn switch(spec: &Value, place: &Place<'_>, key: &str, concern: Concern, seen: &mut Sightings) {
    match present(spec, key) {
        Some(Value::Bool(false)) => seen.gone(concern, &place.key(key), &Value::Bool(false)),
        Some(value) => seen.anew(concern, &place.key(key), value, None),
        None => {}
    }
}

/// The server keeps the account under two keys, of which a client may write one.
fn account(spec: &Value, place: &Place<'_>, seen: &mut Sightings) {
    let mut first = None;
    for key in ["serviceAccountName", "serviceAccount"] {
        let account = present(spec, key).filter(|account| ![Some(""), Some("default")].contains(&account.as_str()));
        let Some(account) = account.filter(|account| first != Some(*account)) else {
            continue;
        };
        first = Some(account);
        seen.anew_below(
            Concern::ServiceAccount,
            &place.key(key),
            place,
            account,
            account.as_str(),
        );
    }
}

/// A toleration without a key tolerates everything.
fn tolerates_control_planes(toleration: &Value) -> bool {
    match toleration.get("key") {
        Some(Value::String(key)) if !key.is_empty() => CONTROL_PLANE_TAINTS.contains(&key.as_str()),
        _ => toleration.get("operator").and_then(Value::as_str) == Some("Exists"),
    }
}

/// The ways in which confinement was chosen before there were fields for it; runtimes and old nodes still read them.
fn annotations(template: &Template<'_>, seen: &mut Sightings) {
    let Some(annotations) = template
        .owner
        .at(&["metadata", "annotations"])
        .and_then(Value::as_object)
    else {
        return;
    };
    let metadata = template.owner_place.key("metadata");
    let place = metadata.key("annotations");
    for (key, value) in annotations.iter().filter(|(_, value)| **value != Value::Null) {
        let concern = if key.starts_with("container.apparmor.security.beta.kubernetes.io/") {
            Concern::AppArmor
        } else if key.starts_with("seccomp.security.alpha.kubernetes.io/")
            || key.starts_with("container.seccomp.security.alpha.kubernetes.io/")
        {
            Concern::Seccomp
        } else {
            continue;
        };
        let profile = value.as_str();
        let confined = profile.is_some_and(|profile| {
            ["", "runtime/default", "docker/default"].contains(&profile) || profile.starts_with("localhost/")
        });
        if !confined {
            seen.anew(concern, &place.key(key), value, profile);
        }
    }
}
