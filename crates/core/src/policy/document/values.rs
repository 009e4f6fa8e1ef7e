//! The small values of the language: effects, verbs, names, resources, durations.

use std::time::Duration;

use super::error::Problems;
use super::fields::{one_of, text};
use super::yaml::Node;
use crate::policy::glob::Glob;
use crate::policy::matching::Verbs;
use crate::policy::resource::{Group, ResourceSpec, Subresource};
use crate::request::{Effect, Verb};

/// Resources of the core group: nothing can be added to it, so that a name outside of it is a mistake.
const CORE: [&str; 17] = [
    "bindings",
    "componentstatuses",
    "configmaps",
    "endpoints",
    "events",
    "limitranges",
    "namespaces",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "podtemplates",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "serviceaccounts",
    "services",
];

/// Resources of other groups that are easily written without their group.
const ELSEWHERE: [(&str, &str); 24] = [
    ("certificatesigningrequests", "certificates.k8s.io"),
    ("clusterrolebindings", "rbac.authorization.k8s.io"),
    ("clusterroles", "rbac.authorization.k8s.io"),
    ("cronjobs", "batch"),
    ("customresourcedefinitions", "apiextensions.k8s.io"),
    ("daemonsets", "apps"),
    ("deployments", "apps"),
    ("endpointslices", "discovery.k8s.io"),
    ("horizontalpodautoscalers", "autoscaling"),
    ("ingresses", "networking.k8s.io"),
    ("jobs", "batch"),
    ("leases", "coordination.k8s.io"),
    ("localsubjectaccessreviews", "authorization.k8s.io"),
    ("networkpolicies", "networking.k8s.io"),
    ("poddisruptionbudgets", "policy"),
    ("priorityclasses", "scheduling.k8s.io"),
    ("replicasets", "apps"),
    ("rolebindings", "rbac.authorization.k8s.io"),
    ("roles", "rbac.authorization.k8s.io"),
    ("selfsubjectaccessreviews", "authorization.k8s.io"),
    ("statefulsets", "apps"),
    ("storageclasses", "storage.k8s.io"),
    ("subjectaccessreviews", "authorization.k8s.io"),
    ("tokenreviews", "authentication.k8s.io"),
];

/// Subresources of the core group.
const CORE_SUBRESOURCES: [&str; 14] = [
    "approval",
    "attach",
    "binding",
    "ephemeralcontainers",
    "eviction",
    "exec",
    "finalize",
    "log",
    "portforward",
    "proxy",
    "resize",
    "scale",
    "status",
    "token",
];

pub(in crate::policy) fn effect(node: &Node, problems: &mut Problems<'_>) -> Option<Effect> {
    one_of(
        node,
        "effect",
        &Effect::ALL.map(|effect| (effect.as_str(), effect)),
        problems,
    )
}

pub(in crate::policy) fn verb(node: &Node, problems: &mut Problems<'_>) -> Option<Verb> {
    if text(node, "verb", problems)? == "*" {
        problems.add(node.span, "leave `verbs` out to match every verb");
        return None;
    }
    one_of(node, "verb", &Verbs::LISTED.map(|verb| (verb.as_str(), verb)), problems)
}

/// A pattern of object names.
pub(super) fn name(node: &Node, problems: &mut Problems<'_>) -> Option<Glob> {
    let text = text(node, "a name", problems)?;
    if text.contains(['/', '%']) {
        problems.add(
            node.span,
            format!("`{text}` is no name of an object: it has a `/` or `%`"),
        );
        return None;
    }
    Some(Glob::new(text))
}

/// A pattern of namespaces.
pub(super) fn namespace(node: &Node, problems: &mut Problems<'_>) -> Option<Glob> {
    let text = text(node, "a namespace", problems)?;
    if text.bytes().all(|byte| byte == b'*' || is_label_byte(byte)) {
        return Some(Glob::new(text));
    }
    let message = format!("`{text}` is no namespace: lower-case letters, digits, `-`, and `*` for any run of them");
    problems.add(node.span, message);
    None
}

fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

/// RFC 1123.
pub(in crate::policy) fn is_dns_label(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(is_label_byte) && !text.starts_with('-') && !text.ends_with('-')
}

/// `pods`, `pods/exec`, `deployments.apps`, `deployments.apps/scale`, `*.example.com`, `*/scale`, `pods/*`, `*`.
pub(in crate::policy) fn resource(node: &Node, problems: &mut Problems<'_>) -> Option<ResourceSpec> {
    let text = text(node, "a resource", problems)?;
    if text == "*" {
        return Some(ResourceSpec::Everything);
    }
    let (main, subresource) = match text.split_once('/') {
        None => (text, Subresource::Unsaid),
        Some((main, "*")) => (main, Subresource::All),
        Some((main, name)) => (main, Subresource::Named(name.into())),
    };
    let (resource, group) = match main.split_once('.') {
        Some((resource, group)) => (resource, Group::Named(Glob::new(group))),
        None if main == "*" => ("*", Group::Any),
        None => (main, Group::Core),
    };
    let (mut wrong, mut suggestion) = (None, None);
    if text == "*/*" {
        (wrong, suggestion) = (
            Some(": every resource with its subresources is `*`"),
            Some("*".to_owned()),
        );
    } else if !(resource == "*" || is_dns_label(resource))
        || matches!(&group, Group::Named(glob) if !is_group_pattern(glob.as_str()))
        || matches!(&subresource, Subresource::Named(name) if !is_subresource(name))
    {
        wrong =
            Some(": write `pods`, `pods/exec`, `deployments.apps`, `deployments.apps/scale`, `*.example.com` or `*`");
        let lower = text.to_lowercase();
        suggestion = (lower != text).then_some(lower);
    } else if group == Group::Core && !CORE.contains(&resource) {
        wrong = Some(" of the core group");
        let rest = text.strip_prefix(resource).unwrap_or_default();
        suggestion = qualified(resource, problems).map(|name| format!("{name}{rest}"));
    } else if let (Group::Core, Subresource::Named(name)) = (&group, &subresource)
        && !CORE_SUBRESOURCES.contains(&name.as_str())
    {
        wrong = Some(": there is no such subresource");
        let meant = problems.nearest(name, CORE_SUBRESOURCES);
        suggestion = meant.map(|name| format!("{resource}/{name}"));
    }
    if let Some(wrong) = wrong {
        problems.add_with(node.span, format!("`{text}` is no resource{wrong}"), suggestion);
        return None;
    }
    Some(ResourceSpec::Some {
        group,
        resource: (resource != "*").then(|| resource.into()),
        subresource,
    })
}

/// What somebody meant who wrote a resource without its group, in the singular, or with a slip.
fn qualified(resource: &str, problems: &Problems<'_>) -> Option<String> {
    let elsewhere = |name: &str| ELSEWHERE.iter().find(|(known, _)| *known == name);
    let full = |(name, group): &(&str, &str)| format!("{name}.{group}");
    if let Some(known) = elsewhere(resource) {
        return Some(full(known));
    }
    let names = CORE.into_iter().chain(ELSEWHERE.iter().map(|(name, _)| *name));
    let meant = problems.nearest(resource, names)?;
    Some(elsewhere(&meant).map_or_else(|| meant.clone(), full))
}

/// `app: web`, `example.com/tier: "*"`: a label and a pattern of its value.
pub(super) fn label(key: &Node, value: &Node, problems: &mut Problems<'_>) -> Option<(String, Glob)> {
    let name = text(key, "the name of a label", problems)?;
    if !is_qualified_name(name, b"") {
        problems.add(
            key.span,
            format!("`{name}` is no name of a label: `app`, or `example.com/app`"),
        );
        return None;
    }
    let pattern = match &value.value {
        // Kubernetes has labels without a value.
        super::yaml::Value::Text(pattern) if pattern.is_empty() => pattern,
        _ => text(value, "the value of a label", problems)?,
    };
    if !pattern.bytes().all(|byte| byte == b'*' || is_name_byte(byte)) || pattern.replace('*', "").len() > 63 {
        let form = "at most 63 letters, digits, `-`, `_`, `.`, and `*` for any run of them";
        problems.add(value.span, format!("`{pattern}` is no value of a label: {form}"));
        return None;
    }
    Some((name.to_owned(), Glob::new(pattern)))
}

/// A pattern of keys of annotations.
pub(super) fn annotation(node: &Node, problems: &mut Problems<'_>) -> Option<Glob> {
    let text = text(node, "an annotation", problems)?;
    if is_qualified_name(text, b"*") {
        return Some(Glob::new(text));
    }
    let form = "write `example.com/key`, with `*` for any run of characters";
    problems.add(node.span, format!("`{text}` is no key of an annotation: {form}"));
    None
}

/// The name of a label or annotation, with these characters besides.
fn is_qualified_name(text: &str, besides: &[u8]) -> bool {
    let (prefix, name) = text
        .split_once('/')
        .map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let fits = |text: &str, most: usize, byte: fn(u8) -> bool| {
        (1..=most).contains(&text.len()) && text.bytes().all(|b| byte(b) || besides.contains(&b))
    };
    fits(name, 63, is_name_byte) && prefix.is_none_or(|prefix| fits(prefix, 253, |b| is_label_byte(b) || b == b'.'))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

/// A pattern of anything that has no blanks in it.
pub(super) fn pattern(node: &Node, what: &str, problems: &mut Problems<'_>) -> Option<Glob> {
    let text = text(node, what, problems)?;
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        problems.add(node.span, format!("{what} has no blanks"));
        return None;
    }
    Some(Glob::new(text))
}

fn is_group_pattern(group: &str) -> bool {
    group
        .split('.')
        .all(|label| !label.is_empty() && label.bytes().all(|byte| byte == b'*' || is_label_byte(byte)))
}

fn is_subresource(name: &str) -> bool {
    // Aggregated servers have capitals and punctuation there, as in metric names.
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte))
}

/// Whether something is enforced, or only evaluated and recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Enforce,
    Shadow,
}

pub(super) fn mode(node: &Node, problems: &mut Problems<'_>) -> Option<Mode> {
    one_of(
        node,
        "mode",
        &[("enforce", Mode::Enforce), ("shadow", Mode::Shadow)],
        problems,
    )
}

/// A duration that is awaited, or counted over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    what: &'static str,
    most: Duration,
    /// The most, in words.
    told: &'static str,
}

/// How long a request waits for its approvers: one that nobody answers in a week is forgotten.
pub(super) const TIMEOUT: Length = Length {
    what: "a timeout",
    most: Duration::from_secs(7 * 24 * 3600),
    told: "a week, `168h`",
};

/// How long a budget remembers.
pub(super) const WINDOW: Length = Length {
    what: "the window of a budget",
    most: Duration::from_secs(30 * 24 * 3600),
    told: "30 days, `720h`",
};

/// `10m`, `90s`, `1h30m`: from one second on.
pub(super) fn duration(node: &Node, kind: Length, problems: &mut Problems<'_>) -> Option<Duration> {
    let text = match &node.value {
        super::yaml::Value::Text(text) => text.as_str(),
        _ => "",
    };
    let Length { what, most, told } = kind;
    match parse_duration(text) {
        Some(duration) if duration > most => problems.add(node.span, format!("{what} is at most {told}")),
        Some(duration) if duration.is_zero() => {
            problems.add(node.span, format!("{what} is at least a second, `1s`"));
        }
        Some(duration) => return Some(duration),
        None => problems.add(node.span, format!("{what} is written as `90s`, `10m` or `1h30m`")),
    }
    None
}

fn parse_duration(text: &str) -> Option<Duration> {
    let mut seconds = 0_u64;
    let mut rest = text;
    let mut largest = u64::MAX;
    while !rest.is_empty() {
        let (number, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let unit = match after.chars().next()? {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        // Each unit once, the larger before the smaller.
        if unit >= largest {
            return None;
        }
        largest = unit;
        seconds = seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = after.get(1..)?;
    }
    (!text.is_empty()).then(|| Duration::from_secs(seconds))
}
