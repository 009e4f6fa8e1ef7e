//! A security context, of a pod or of a container: what it takes from the confinement.

use super::pod_spec::switched_on;
use crate::json::Value;
use crate::request::change::Concern;
use crate::request::change::place::{Place, elements, present};
use crate::request::change::sightings::Sightings;

/// Types of SELinux that confine a container as the default does.
const CONFINED_TYPES: [&str; 5] = [
    "",
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
];

/// Profiles of seccomp and AppArmor that confine.
const CONFINED_PROFILES: [&str; 2] = ["RuntimeDefault", "Localhost"];

pub(super) fn look(place: &Place<'_>, context: &Value, seen: &mut Sightings) {
    if let Some(value) = switched_on(context, "privileged") {
        seen.anew(Concern::Privileged, &place.key("privileged"), value, None);
    }
    let windows = context.get("windowsOptions");
    if let Some(value) = windows.and_then(|windows| switched_on(windows, "hostProcess")) {
        let place = place.key("windowsOptions");
        seen.anew(Concern::Privileged, &place.key("hostProcess"), value, None);
    }
    let capabilities = place.key("capabilities");
    let list = capabilities.key("add");
    for (token, capability) in elements(context.at(&["capabilities", "add"])) {
        let place = list.element(token, capability);
        seen.anew(Concern::Capabilities, &place, capability, capability.as_str());
    }
    profile(place, context, "seccompProfile", Concern::Seccomp, seen);
    profile(place, context, "appArmorProfile", Concern::AppArmor, seen);
    selinux(place, context, seen);
    if let Some(mount) =
        present(context, "procMount").filter(|mount| ![Some(""), Some("Default")].contains(&mount.as_str()))
    {
        seen.anew(Concern::ProcMount, &place.key("procMount"), mount, mount.as_str());
    }
    let list = place.key("sysctls");
    for (token, sysctl) in elements(context.get("sysctls")) {
        let name = sysctl.get("name").and_then(Value::as_str);
        seen.anew(Concern::Sysctls, &list.element(token, sysctl), sysctl, name);
    }
}

fn profile(place: &Place<'_>, context: &Value, key: &str, concern: Concern, seen: &mut Sightings) {
    let Some(chosen) = context.get(key).and_then(|profile| present(profile, "type")) else {
        return;
    };
    let confined = chosen
        .as_str()
        .is_some_and(|chosen| CONFINED_PROFILES.contains(&chosen));
    if !confined {
        let place = place.key(key);
        seen.anew(concern, &place.key("type"), chosen, chosen.as_str());
    }
}

fn selinux(place: &Place<'_>, context: &Value, seen: &mut Sightings) {
    let Some(options) = context.get("seLinuxOptions") else {
        return;
    };
    let place = place.key("seLinuxOptions");
    let allowed: [(&str, &[&str]); 3] = [("type", &CONFINED_TYPES), ("user", &[""]), ("role", &[""])];
    for (key, values) in allowed {
        let chosen = present(options, key).filter(|chosen| !chosen.as_str().is_some_and(|text| values.contains(&text)));
        if let Some(chosen) = chosen {
            seen.anew(Concern::AppArmor, &place.key(key), chosen, chosen.as_str());
        }
    }
}
