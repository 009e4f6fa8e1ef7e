//! Which resources and subresources do what: data with a version, and the few rules that read it.
//!
//! 1. The verb gives the first effect: reading, writing, taking away.
//! 2. A review asks and changes nothing, though it is a create.
//! 3. What leaves the API is `connect` and nothing else: its verb says nothing.
//! 4. Credential and escalation come on top of what the verb says; a read escalates nothing. What is never sent
//!    ([`hard_deny`]) escalates.
//! 5. Whether a create, an update or a patch takes something away stands in its body: `change` finds that out.

use super::attributes::{Attributes, Verb};
use super::canonical::Canonical;
use super::catalog::Origin;
use super::catalog_table::METRICS_GROUPS;
use super::change::{Op, Operation, hard_deny, operations};
use super::effects::{Effect, Effects};
use crate::json::Value;

/// What a known subresource is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subresource {
    /// The object again, to be read or changed: `status`, `scale`.
    Part,
    /// What a container printed.
    Log,
    /// A stream to a container, over a WebSocket.
    Stream,
    /// HTTP to something else.
    Proxy,
    /// A change, by these methods only.
    Change(&'static [Verb]),
}

/// Group and resource (`*`: any), subresource, and what it is for. All others are unknown.
#[rustfmt::skip]
const SUBRESOURCES: &[(&str, &str, &str, Subresource)] = &[
    ("*", "*", "status", Subresource::Part),
    ("*", "*", "scale", Subresource::Part),
    ("*", "*", "proxy", Subresource::Proxy),
    ("", "pods", "log", Subresource::Log),
    ("", "pods", "exec", Subresource::Stream),
    ("", "pods", "attach", Subresource::Stream),
    ("", "pods", "portforward", Subresource::Stream),
    ("", "pods", "eviction", Subresource::Change(&[Verb::Create])),
    ("", "pods", "binding", Subresource::Change(&[Verb::Create])),
    ("", "pods", "ephemeralcontainers", Subresource::Change(&[Verb::Update, Verb::Patch])),
    ("", "pods", "resize", Subresource::Change(&[Verb::Update, Verb::Patch])),
    ("", "serviceaccounts", "token", Subresource::Change(&[Verb::Create])),
    ("", "namespaces", "finalize", Subresource::Change(&[Verb::Update])),
    ("certificates.k8s.io", "certificatesigningrequests", "approval", Subresource::Change(&[Verb::Update, Verb::Patch])),
];

/// What a subresource of a resource is for; `None` if it is unknown.
#[inline]
pub(super) fn subresource(attributes: &Attributes) -> Option<Subresource> {
    if attributes.subresource.is_empty() {
        return None;
    }
    known(attributes)
}

fn known(attributes: &Attributes) -> Option<Subresource> {
    SUBRESOURCES
        .iter()
        .find(|(group, resource, subresource, _)| {
            *subresource == attributes.subresource
                && (*resource == "*" || *resource == attributes.resource)
                && (*group == "*" || *group == attributes.api_group)
        })
        .filter(|_| exists(attributes))
        .map(|(.., kind)| *kind)
}

/// Whether what any resource may have is there, as far as the API server's own resources go; of others discovery tells
/// the server.
fn exists(attributes: &Attributes) -> bool {
    let resource = attributes.resource.as_str();
    match (attributes.subresource.as_str(), attributes.api_group.as_str()) {
        ("scale", "") => resource == "replicationcontrollers",
        ("scale", "apps" | "extensions") => matches!(resource, "deployments" | "replicasets" | "statefulsets"),
        ("scale", "batch" | "networking.k8s.io" | "policy" | "rbac.authorization.k8s.io" | "storage.k8s.io") => false,
        ("status", "") => !matches!(resource, "configmaps" | "secrets"),
        _ => true,
    }
}

/// Creates that only ask.
const REVIEWS: &[(&str, &str)] = &[
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authorization.k8s.io", "subjectaccessreviews"),
    ("authorization.k8s.io", "localsubjectaccessreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
];

/// Whether it is a review about the one who asks.
pub(super) fn is_self_review(attributes: &Attributes) -> bool {
    is_review(attributes) && attributes.resource.starts_with("selfsubject")
}

/// Whether it is a create that only asks.
#[inline]
pub(super) fn is_review(attributes: &Attributes) -> bool {
    attributes.verb == Verb::Create
        && attributes.subresource.is_empty()
        && REVIEWS.contains(&(attributes.api_group.as_str(), attributes.resource.as_str()))
}

/// Resources whose very names are credentials, or whose answers tell of them: whatever the verb, in any group.
const CREDENTIALS: &[&str] = &[
    "oauthaccesstokens",
    "oauthauthorizetokens",
    "useroauthaccesstokens",
    "tokenreviews",
];

/// Group, resource, subresource: making or changing these mints a credential.
const MINTS: &[(&str, &str, &str)] = &[
    ("", "serviceaccounts", "token"),
    ("certificates.k8s.io", "certificatesigningrequests", ""),
    ("certificates.k8s.io", "certificatesigningrequests", "approval"),
    ("certificates.k8s.io", "certificatesigningrequests", "status"),
    ("certificates.k8s.io", "podcertificaterequests", ""),
    ("certificates.k8s.io", "podcertificaterequests", "status"),
];

/// Groups of policy engines, GitOps and secret sync, and all groups below them: their controllers act with rights of
/// their own on what stands in their objects.
const CONTROLLER_GROUPS: &[&str] = &[
    "kyverno.io",
    "gatekeeper.sh",
    "kubewarden.io",
    "wgpolicyk8s.io",
    "argoproj.io",
    "fluxcd.io",
    "external-secrets.io",
    "bitnami.com",
    "secrets-store.csi.x-k8s.io",
    "secrets.hashicorp.com",
    "secrets.infisical.com",
    "fleet.cattle.io",
    "kappctrl.k14s.io",
    "secretgen.carvel.dev",
    "policy.open-cluster-management.io",
    "jspolicy.com",
    "ricoberger.de",
    "isindir.github.com",
];

/// Types of Secrets by which somebody can log in to the API: who writes one knows the credential, or is given it.
const CREDENTIAL_SECRETS: &[&str] = &["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"];

/// Whether a body makes a Secret such a credential. What a JSON Patch moves or copies to the type may be any.
pub(super) fn is_credential_secret(request: &Canonical) -> bool {
    let attributes = request.attributes();
    if (attributes.api_group.as_str(), attributes.resource.as_str()) != ("", "secrets") {
        return false;
    }
    match request.json() {
        None => false,
        Some(Value::Array(patch)) => {
            operations(patch).map_or(true, |operations| operations.iter().any(writes_credential_type))
        }
        Some(body) => body.get("type").is_some_and(is_credential_type),
    }
}

fn writes_credential_type(operation: &Operation<'_>) -> bool {
    let Operation { op, path, value, .. } = operation;
    let mut tokens = path.iter().map(String::as_str);
    match (op, tokens.next(), tokens.next()) {
        (Op::Test | Op::Remove, ..) => false,
        (Op::Add | Op::Replace, None, _) => value.get("type").is_some_and(is_credential_type),
        (Op::Add | Op::Replace, Some("type"), None) => is_credential_type(value),
        (_, first, _) => first.is_none_or(|first| first == "type"),
    }
}

fn is_credential_type(secret_type: &Value) -> bool {
    secret_type
        .as_str()
        .is_some_and(|secret_type| CREDENTIAL_SECRETS.contains(&secret_type))
}

/// Whether it is on the list of what is never sent, or makes a controller act.
#[inline]
fn escalates(attributes: &Attributes) -> bool {
    // A read is neither.
    attributes.verb.is_mutating()
        && (hard_deny::concern(attributes).is_some()
            || CONTROLLER_GROUPS
                .iter()
                .any(|parent| is_group_below(&attributes.api_group, parent)))
}

/// Whether a group is this one, or one below it.
pub(super) fn is_group_below(group: &str, parent: &str) -> bool {
    group
        .strip_suffix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[inline]
fn touches_credentials(attributes: &Attributes) -> bool {
    CREDENTIALS.contains(&attributes.resource.as_str())
        || attributes.verb.is_mutating()
            && MINTS.contains(&(
                attributes.api_group.as_str(),
                attributes.resource.as_str(),
                attributes.subresource.as_str(),
            ))
}

/// Whether it is a deletion in the form of a create.
pub(super) fn is_eviction(attributes: &Attributes) -> bool {
    attributes.subresource == "eviction"
        && (attributes.api_group.as_str(), attributes.resource.as_str()) == ("", "pods")
}

/// What a request does, as far as method, URL and catalog tell.
#[inline]
pub(super) fn effects(attributes: &Attributes, origin: Option<Origin>) -> Effects {
    if !attributes.is_resource_request {
        return Effects::only(Effect::Discovery);
    }
    if is_connect(attributes, origin) {
        return Effects::only(Effect::Connect);
    }
    if is_review(attributes) {
        return Effects::only(Effect::Review);
    }
    let known = subresource(attributes);
    let mut effects = match attributes.verb {
        Verb::Get | Verb::Head if known == Some(Subresource::Log) => Effects::only(Effect::Log),
        Verb::Get | Verb::Head | Verb::List => Effects::only(Effect::Read),
        Verb::Watch => Effects::only(Effect::ReadStream),
        Verb::Delete | Verb::DeleteCollection => Effects::only(Effect::Destructive),
        Verb::Create if is_eviction(attributes) => Effects::only(Effect::Destructive),
        Verb::Create | Verb::Update | Verb::Patch => Effects::only(Effect::Write),
    };
    if touches_credentials(attributes) {
        effects = effects.with(Effect::Credential);
    }
    if escalates(attributes) {
        effects = effects.with(Effect::Escalation);
    }
    effects
}

/// A dry run of a deletion supplies no value and takes nothing away: a write that is not persisted. What other changes
/// take away is found in their bodies, and so is whether a dry run of theirs may be a guess at what the agent must not
/// see. Nothing else is lowered.
pub(super) fn lowered_by_dry_run(effects: Effects, attributes: &Attributes) -> Effects {
    let deletion = matches!(attributes.verb, Verb::Delete | Verb::DeleteCollection) || is_eviction(attributes);
    if !deletion {
        return effects;
    }
    effects
        .iter()
        .map(|effect| {
            if effect == Effect::Destructive {
                Effect::Write
            } else {
                effect
            }
        })
        .collect()
}

#[inline]
fn is_connect(attributes: &Attributes, origin: Option<Origin>) -> bool {
    match subresource(attributes) {
        Some(Subresource::Stream | Subresource::Proxy) => true,
        Some(_) => false,
        None if attributes.subresource.is_empty() || origin != Some(Origin::Aggregated) => false,
        // Nobody knows what an unknown subresource of another server does. Metrics are read.
        None => !(attributes.verb == Verb::Get && METRICS_GROUPS.contains(&attributes.api_group.as_str())),
    }
}
