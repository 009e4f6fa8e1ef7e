//! Which resources there are, and how they may be used: existence, scope, methods of subresources, streams.

use http::{Method, StatusCode};

use super::attributes::{Attributes, Verb};
use super::canonical::Upgrade;
use super::catalog::{Kind, Origin};
use super::effect_table::{self, Subresource};
use super::quote::Quoted;
use super::target::Target;
use crate::refusal::{Class, ObjectRef, Refusal};

/// Checks that a resource may be used as a request wants to.
#[inline]
pub(super) fn check(target: &Target, kind: &Kind, upgrade: Option<&Upgrade>) -> Result<(), Refusal> {
    if kind.origin == Origin::Aggregated {
        return check_aggregated(&target.parts.attributes);
    }
    check_scope(target, kind)?;
    check_method(&target.parts.attributes)?;
    check_stream(target, upgrade)
}

/// Aggregated groups are read. What their subresources do is nobody's knowledge: connect, which a policy denies.
fn check_aggregated(attributes: &Attributes) -> Result<(), Refusal> {
    if attributes.verb.is_mutating() {
        let message = format!(
            "{} is served by an aggregated API server",
            Quoted(&attributes.api_group)
        );
        return Err(forbidden(message).with_remedy("aggregated groups can only be read"));
    }
    Ok(())
}

/// Whether objects live in namespaces comes from the catalog, never from the URL.
#[inline]
fn check_scope(target: &Target, kind: &Kind) -> Result<(), Refusal> {
    let everywhere = matches!(target.parts.attributes.verb, Verb::List | Verb::Watch);
    match (kind.namespaced, target.parts.in_namespace) {
        (true, true) | (false, false) => Ok(()),
        (true, false) if everywhere => Ok(()),
        (true, false) => Err(
            not_found(format!("{} live in namespaces, and the path names none", kind.resource))
                .with_remedy("put namespaces/{namespace}/ before the resource"),
        ),
        (false, true) => Err(not_found(format!(
            "{} live in no namespace, and the path names one",
            kind.resource
        ))
        .with_remedy("leave namespaces/{namespace}/ out")),
    }
}

/// Which methods a resource and its subresources have.
#[inline]
fn check_method(attributes: &Attributes) -> Result<(), Refusal> {
    let verb = attributes.verb;
    if attributes.subresource.is_empty() {
        if verb == Verb::Create && !attributes.name.is_empty() {
            return Err(not_allowed("a create with the name in the path").with_remedy("name the object in its body"));
        }
        return Ok(());
    }
    let allowed = match effect_table::subresource(attributes) {
        None => {
            let message = format!("the subresource {} is not known", Quoted(&attributes.subresource));
            return Err(forbidden(message));
        }
        Some(Subresource::Part) => matches!(verb, Verb::Get | Verb::Update | Verb::Patch),
        Some(Subresource::Log) => verb == Verb::Get,
        // A connection, whatever the method; of streams there is more to say.
        Some(Subresource::Proxy | Subresource::Stream) => true,
        Some(Subresource::Change(verbs)) => verbs.contains(&verb),
    };
    if allowed {
        Ok(())
    } else {
        Err(not_allowed(&format!(
            "{verb} of the subresource {}",
            attributes.subresource
        )))
    }
}

/// Streams are WebSockets by GET, and an exec says what it executes.
#[inline]
fn check_stream(target: &Target, upgrade: Option<&Upgrade>) -> Result<(), Refusal> {
    let attributes = &target.parts.attributes;
    if effect_table::subresource(attributes) != Some(Subresource::Stream) {
        return Ok(());
    }
    if target.method() != Method::GET {
        return Err(
            not_allowed(&format!("{} of pods/{}", target.method(), attributes.subresource))
                .with_remedy("use GET with a WebSocket upgrade; SPDY is not supported"),
        );
    }
    if upgrade.is_none() {
        return Err(
            Refusal::malformed(format!("pods/{} without an upgrade", attributes.subresource))
                .with_remedy("send Connection: Upgrade and Upgrade: websocket"),
        );
    }
    if attributes.subresource == "exec" && target.parts.query.get("command").is_none_or(str::is_empty) {
        return Err(Refusal::malformed("an exec without a command")
            .with_remedy("give the program and each of its arguments as `command`"));
    }
    Ok(())
}

pub(super) fn unknown_resource(attributes: &Attributes) -> Refusal {
    let (group, resource) = (Quoted(&attributes.api_group), Quoted(&attributes.resource));
    not_found(match attributes.api_group.as_str() {
        "" => format!("the guard knows no resource {resource} in the core group"),
        _ => format!("the guard knows no resource {resource} in the group {group}"),
    })
    .with_remedy("if the cluster serves it, whoever runs the guard can add it: Catalog::with_custom or with_aggregated")
    .with_object(ObjectRef {
        group: attributes.api_group.to_string(),
        resource: attributes.resource.to_string(),
        name: attributes.name.to_string(),
    })
}

pub(super) fn not_found(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, Class::Unsupported, message)
}

fn not_allowed(what: &str) -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        Class::Unsupported,
        format!("{what} is not supported"),
    )
}

pub(super) fn forbidden(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, Class::Unsupported, message)
}
