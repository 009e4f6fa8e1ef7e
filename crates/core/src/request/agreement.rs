//! What a body says of itself has to agree with the URL.
//!
//! Upstream believes the URL; an approver may read the body. Where they disagree, one of the two is deceived.

use super::attributes::{Attributes, Verb};
use super::catalog::Kind;
use super::quote::Quoted;
use crate::json::{Object, Value};
use crate::refusal::Refusal;

/// What a body may say.
struct Expected<'a> {
    api_version: String,
    kind: &'a str,
    /// Empty if the URL names none.
    name: &'a str,
    /// Empty for cluster scope.
    namespace: &'a str,
}

/// `apps/v1`, `v1`: the version in the URL as bodies write it.
pub(super) fn api_version(attributes: &Attributes) -> String {
    if attributes.api_group.is_empty() {
        attributes.api_version.to_string()
    } else {
        format!("{}/{}", attributes.api_group, attributes.api_version)
    }
}

fn expected<'a>(attributes: &'a Attributes, kind: &'a Kind) -> Expected<'a> {
    let (api_version, kind_name) = match attributes.subresource.as_str() {
        "scale" => ("autoscaling/v1".to_owned(), "Scale"),
        "eviction" => ("policy/v1".to_owned(), "Eviction"),
        "token" => ("authentication.k8s.io/v1".to_owned(), "TokenRequest"),
        "binding" => ("v1".to_owned(), "Binding"),
        _ => (api_version(attributes), kind.kind.as_str()),
    };
    Expected {
        api_version,
        kind: kind_name,
        name: &attributes.name,
        namespace: if kind.namespaced { &attributes.namespace } else { "" },
    }
}

/// Checks the body of a create, an update, or a patch that is an object.
pub(super) fn check(body: &Object, attributes: &Attributes, kind: &Kind) -> Result<(), Refusal> {
    let expected = expected(attributes, kind);
    check_text(body, "apiVersion", &expected.api_version)?;
    check_text(body, "kind", expected.kind)?;
    let metadata = match body.get("metadata") {
        None => return Ok(()),
        Some(metadata) => metadata
            .as_object()
            .ok_or_else(|| Refusal::malformed("metadata in the body is no object"))?,
    };
    if expected.name.is_empty() {
        text(metadata, "metadata.name", "name")?;
    } else {
        check_text(metadata, "name", expected.name)?;
    }
    if text(metadata, "metadata.namespace", "namespace")?.is_some_and(|namespace| !namespace.is_empty()) {
        check_text(metadata, "namespace", expected.namespace)?;
    }
    check_generated_name(metadata, attributes.verb)
}

/// A generated name makes sense on create only. An object that was created with one keeps the field, so that a PUT of
/// what was read carries it along with the name.
fn check_generated_name(metadata: &Object, verb: Verb) -> Result<(), Refusal> {
    let generated = text(metadata, "metadata.generateName", "generateName")?.is_some_and(|prefix| !prefix.is_empty());
    let carried = verb == Verb::Update && metadata.get("name").is_some();
    if generated && verb != Verb::Create && !carried {
        return Err(
            Refusal::malformed("metadata.generateName in something other than a create").with_remedy("leave it out"),
        );
    }
    Ok(())
}

fn check_text(object: &Object, key: &str, expected: &str) -> Result<(), Refusal> {
    match text(object, key, key)? {
        Some(found) if found != expected => {
            let message = format!("the body says {key} {}, the URL {}", Quoted(found), Quoted(expected));
            Err(Refusal::malformed(message).with_remedy("make body and URL agree"))
        }
        _ => Ok(()),
    }
}

fn text<'a>(object: &'a Object, shown: &str, key: &str) -> Result<Option<&'a str>, Refusal> {
    match object.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::malformed(format!("{shown} in the body is no string"))),
    }
}
