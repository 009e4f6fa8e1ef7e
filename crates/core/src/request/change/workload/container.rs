//! A container: what it runs, and with what.

use super::security;
use crate::json::Value;
use crate::request::change::Concern;
use crate::request::change::place::{Place, elements, present};
use crate::request::change::sightings::Sightings;

const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

/// What decides, besides the image, what an existing container runs and what it gets to see. Mounts belong to it, since
/// they are how a volume reaches a container.
const TEMPLATE_FIELDS: [&str; 9] = [
    "command",
    "args",
    "env",
    "envFrom",
    "ports",
    "lifecycle",
    "securityContext",
    "volumeMounts",
    "volumeDevices",
];

pub(super) fn look(place: &Place<'_>, container: &Value, seen: &mut Sightings) {
    if let Some(image) = present(container, "image") {
        seen.anew(Concern::Image, &place.key("image"), image, image.as_str());
    }
    for key in TEMPLATE_FIELDS {
        if let Some(value) = present(container, key) {
            seen.changed(Concern::TemplateChange, &place.key(key), value);
        }
    }
    for key in ["command", "args"] {
        if let Some(value) = present(container, key) {
            seen.created(Concern::Command, &place.key(key), value);
        }
    }
    for key in PROBES {
        if let Some(exec) = container.get(key).and_then(|probe| present(probe, "exec")) {
            let place = place.key(key);
            seen.anew(Concern::ExecProbe, &place.key("exec"), exec, None);
            seen.changed(Concern::TemplateChange, &place.key("exec"), exec);
        }
    }
    if let Some(lifecycle) = container.get("lifecycle").and_then(Value::as_object) {
        let place = place.key("lifecycle");
        // The signal by which a container is stopped runs nothing.
        let hooks = lifecycle
            .iter()
            .filter(|(key, hook)| *key != "stopSignal" && **hook != Value::Null);
        for (key, hook) in hooks {
            seen.anew(Concern::LifecycleHook, &place.key(key), hook, None);
        }
    }
    ports(place, container, seen);
    environment(place, container, seen);
    if let Some(context) = present(container, "securityContext") {
        security::look(&place.key("securityContext"), context, seen);
    }
}

fn ports(place: &Place<'_>, container: &Value, seen: &mut Sightings) {
    let list = place.key("ports");
    for (token, port) in elements(container.get("ports")) {
        match present(port, "hostPort") {
            None => {}
            Some(Value::Number(number)) if number == "0" => {}
            Some(host_port) => {
                let number = match host_port {
                    Value::Number(number) => Some(number.as_str()),
                    _ => None,
                };
                let place = list.element(token, port);
                seen.anew(Concern::HostPort, &place.key("hostPort"), host_port, number);
            }
        }
    }
}

fn environment(place: &Place<'_>, container: &Value, seen: &mut Sightings) {
    let list = place.key("env");
    for (token, variable) in elements(container.get("env")) {
        let source = variable
            .get("valueFrom")
            .and_then(|source| present(source, "secretKeyRef"));
        if let Some(secret) = source {
            let place = list.element(token, variable);
            let place = place.key("valueFrom");
            let name = secret.get("name").and_then(Value::as_str);
            seen.anew(Concern::SecretReference, &place.key("secretKeyRef"), secret, name);
        }
    }
    let list = place.key("envFrom");
    for (token, source) in elements(container.get("envFrom")) {
        if let Some(secret) = present(source, "secretRef") {
            let place = list.element(token, source);
            let name = secret.get("name").and_then(Value::as_str);
            seen.anew(Concern::SecretReference, &place.key("secretRef"), secret, name);
        }
    }
}
