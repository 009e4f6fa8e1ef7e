//! A volume: what it brings into a pod.

use crate::json::Value;
use crate::request::change::Concern;
use crate::request::change::place::{Place, elements, present};
use crate::request::change::sightings::Sightings;

pub(super) fn look(place: &Place<'_>, volume: &Value, seen: &mut Sightings) {
    seen.changed(Concern::TemplateChange, place, volume);
    let Some(sources) = volume.as_object() else { return };
    for (kind, source) in sources.iter().filter(|(_, source)| **source != Value::Null) {
        let place = place.key(kind);
        match kind {
            "name" => {}
            "hostPath" => seen.anew(Concern::HostPath, &place, source, text(source, "path")),
            "image" => {
                if let Some(reference) = present(source, "reference") {
                    seen.anew(Concern::Image, &place.key("reference"), reference, reference.as_str());
                }
            }
            "secret" => seen.anew(Concern::SecretReference, &place, source, text(source, "secretName")),
            "projected" => projected(&place, source, seen),
            _ => references(&place, source, seen),
        }
    }
}

fn projected(place: &Place<'_>, source: &Value, seen: &mut Sightings) {
    let list = place.key("sources");
    for (token, source) in elements(source.get("sources")) {
        let place = list.element(token, source);
        for (key, concern, name) in [
            ("secret", Concern::SecretReference, "name"),
            ("serviceAccountToken", Concern::TokenProjection, "audience"),
            ("podCertificate", Concern::TokenProjection, "signerName"),
        ] {
            if let Some(projection) = present(source, key) {
                seen.anew(concern, &place.key(key), projection, text(projection, name));
            }
        }
    }
}

/// Sources of any other kind name their Secret in one way: `secretRef`, `secretName`, `nodePublishSecretRef`. The secrets
/// store fetches from elsewhere what its class says.
fn references(place: &Place<'_>, source: &Value, seen: &mut Sightings) {
    let Some(members) = source.as_object() else { return };
    for (key, member) in members.iter().filter(|(_, member)| **member != Value::Null) {
        let lower = key.to_ascii_lowercase();
        if lower.ends_with("secretref") || lower.ends_with("secretname") {
            let name = text(member, "name").or(member.as_str());
            seen.anew(Concern::SecretReference, &place.key(key), member, name);
        }
    }
    let class = source.at(&["volumeAttributes", "secretProviderClass"]);
    let is_store = text(source, "driver").is_some_and(|driver| driver.contains("secrets-store"));
    if is_store || class.is_some() {
        seen.anew(Concern::SecretReference, place, source, class.and_then(Value::as_str));
    }
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str()
}
