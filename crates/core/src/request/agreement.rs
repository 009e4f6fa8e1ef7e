//! What a body says of itself has to agree with the URL.
//!
//! Upstream believes the URL; an approver may read the body. Where they disagree, one of the two is deceived.
//!
//! 1. A body says type, name and namespace as the URL does, or leaves them out. One type can have several names.
//! 2. What a JSON Patch writes at these places, above or below them is a body's word too. It takes none of them away, and
//!    puts nothing there that it does not show.

use super::attributes::{Attributes, Verb};
use super::catalog::Kind;
use super::change::{Op, Operation, operations};
use super::effect_table::is_eviction;
use super::key_case;
use super::pointer;
use super::quote::Quoted;
use crate::json::{Object, Value};
use crate::refusal::Refusal;

/// The versions of an eviction, which are one to the server; the first is the one in use.
pub(super) const EVICTIONS: [&str; 2] = ["policy/v1", "policy/v1beta1"];

/// What a body may say.
struct Expected<'a> {
    api_version: String,
    /// Other names of the same version.
    aliases: &'static [&'static str],
    kind: &'a str,
    /// Empty if the URL names none.
    name: &'a str,
    /// Empty for cluster scope.
    namespace: &'a str,
    verb: Verb,
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
        "eviction" => (EVICTIONS[0].to_owned(), "Eviction"),
        "token" => ("authentication.k8s.io/v1".to_owned(), "TokenRequest"),
        "binding" => ("v1".to_owned(), "Binding"),
        _ => (api_version(attributes), kind.kind.as_str()),
    };
    Expected {
        api_version,
        aliases: if is_eviction(attributes) { &EVICTIONS } else { &[] },
        kind: kind_name,
        name: &attributes.name,
        namespace: if kind.namespaced { &attributes.namespace } else { "" },
        verb: attributes.verb,
    }
}

/// Checks the body of a create, an update, or a patch that is an object.
pub(super) fn check(body: &Object, attributes: &Attributes, kind: &Kind) -> Result<(), Refusal> {
    expected(attributes, kind).check(body)
}

/// Checks a JSON Patch. Each operation is held to it by itself: none may disagree for a while.
pub(super) fn check_patch(patch: &[Value], attributes: &Attributes, kind: &Kind) -> Result<(), Refusal> {
    let expected = expected(attributes, kind);
    let operations = operations(patch).map_err(|_| Refusal::malformed("a malformed JSON patch operation"))?;
    operations
        .iter()
        .try_for_each(|operation| expected.check_operation(operation))
}

impl Expected<'_> {
    fn check(&self, body: &Object) -> Result<(), Refusal> {
        match text(body, "apiVersion", "apiVersion")? {
            Some(found) if self.aliases.contains(&found) => {}
            _ => check_text(body, "apiVersion", &self.api_version)?,
        }
        check_text(body, "kind", self.kind)?;
        body.get("metadata")
            .map_or(Ok(()), |metadata| self.check_metadata(metadata))
    }

    fn check_metadata(&self, metadata: &Value) -> Result<(), Refusal> {
        let metadata = metadata
            .as_object()
            .ok_or_else(|| Refusal::malformed("metadata in the body is no object"))?;
        if self.name.is_empty() {
            text(metadata, "metadata.name", "name")?;
        } else {
            check_text(metadata, "name", self.name)?;
        }
        if text(metadata, "metadata.namespace", "namespace")?.is_some_and(|namespace| !namespace.is_empty()) {
            check_text(metadata, "namespace", self.namespace)?;
        }
        check_generated_name(metadata, self.verb)
    }

    fn check_operation(&self, operation: &Operation<'_>) -> Result<(), Refusal> {
        let Operation { op, path, from, value } = operation;
        if let (true, Some(key)) = (*op != Op::Test, path.first()) {
            key_case::check_top_level(key)?;
        }
        match op {
            Op::Test => Ok(()),
            Op::Add | Op::Replace => self.check_written(path, value),
            Op::Remove if is_identity(path) => Err(unlike("takes away", path)),
            Op::Move if is_identity(from) => Err(unlike("takes away", from)),
            Op::Move | Op::Copy if is_identity(path) => Err(unlike("does not show what it puts at", path)),
            Op::Remove | Op::Move | Op::Copy => Ok(()),
        }
    }

    /// Checks a value as what a body says at its place.
    fn check_written(&self, path: &[String], value: &Value) -> Result<(), Refusal> {
        let only = |key: &str| Object::from_unique(vec![(key.to_owned(), (*value).clone())]);
        let tokens: Vec<&str> = path.iter().map(String::as_str).collect();
        match tokens.as_slice() {
            [] => {
                key_case::check(value)?;
                let object = value.as_object();
                self.check(object.ok_or_else(|| Refusal::malformed("a body that is no JSON object"))?)
            }
            ["metadata"] => self.check_metadata(value),
            [key @ ("apiVersion" | "kind")] => self.check(&only(key)),
            ["metadata", key] if is_identity(path) => self.check_metadata(&only(key).into()),
            _ if is_identity(path) => Err(unlike("writes below a text, at", path)),
            _ => Ok(()),
        }
    }
}

/// Whether a place is one of those that have to agree, or holds one, or lies in one.
fn is_identity(path: &[String]) -> bool {
    let mut tokens = path.iter().map(String::as_str);
    match (tokens.next(), tokens.next()) {
        (None, _) | (Some("apiVersion" | "kind"), _) | (Some("metadata"), None) => true,
        (Some("metadata"), Some(key)) => ["name", "namespace", "generateName"].contains(&key),
        _ => false,
    }
}

fn unlike(does: &str, path: &[String]) -> Refusal {
    let mut shown = String::new();
    path.iter().for_each(|token| pointer::push(&mut shown, token));
    let message = format!(
        "the patch {does} {}, and type, name and namespace have to agree with the URL",
        Quoted(&shown)
    );
    Refusal::malformed(message).with_remedy("leave it out")
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
