//! The body: read strictly, compared with the URL, written anew.
//!
//! 1. GET and HEAD have none; a create, an update and a patch have one.
//! 2. Its type is one of five, exactly; its bytes are JSON without duplicate keys, at most 64 deep.
//! 3. What it says of kind, name and namespace agrees with the URL.
//! 4. A JSON Patch reads nothing that may be masked.
//! 5. Managed fields are left out, but for an explicit reset.
//! 6. Options of a deletion are read where upstream reads them, and sent in the body.

use http::Method;

use super::agreement;
use super::canonical::{Body, Canonical};
use super::catalog::{Kind, Origin};
use super::content_type::{self, ContentType};
use super::delete_options;
use super::effect_table::{is_credential_secret, is_eviction, lowered_by_dry_run};
use super::effects::Effect;
use super::key_case;
use super::managed_fields;
use super::patch_oracle;
use crate::json::Value;
use crate::refusal::Refusal;

/// Most bytes of a request body, as upstream.
pub(super) const MAX_BODY: usize = 3 * 1024 * 1024;

/// Adds the body to a request whose head is understood.
#[inline]
pub(super) fn add(request: &mut Canonical, declared: Option<&str>, body: &[u8]) -> Result<(), Refusal> {
    match *request.parts.method {
        Method::GET | Method::HEAD if body.is_empty() => Ok(()),
        Method::GET | Method::HEAD => Err(no_body(request.parts.method)),
        // Nobody here knows what a backend behind a proxy would do with a body.
        _ if request.parts.effects.contains(Effect::Connect) && body.is_empty() => Ok(()),
        _ if request.parts.effects.contains(Effect::Connect) => {
            Err(content_type::unsupported("a body to something beyond the API").with_remedy("send none"))
        }
        Method::DELETE => add_deletion(request, declared, body),
        _ => add_change(request, declared, body),
    }
}

/// A body where none belongs.
pub(super) fn no_body(method: &Method) -> Refusal {
    Refusal::malformed(format!("a {method} with a body")).with_remedy("send it without one")
}

fn add_deletion(request: &mut Canonical, declared: Option<&str>, body: &[u8]) -> Result<(), Refusal> {
    let options = if body.is_empty() {
        let options = delete_options::from_query(&mut request.parts.query);
        request.rewrite_query();
        Value::Object(options)
    } else {
        delete_options::refuse_in_query(&request.parts.query)?;
        ContentType::of(request.parts.method, declared)?;
        let options = parse(body)?;
        key_case::check(&options)?;
        delete_options::check(&options, &[&agreement::api_version(&request.parts.attributes)])?;
        options
    };
    request.set_dry_run(delete_options::is_dry_run(&options));
    request.set_body(ContentType::Json, options);
    Ok(())
}

fn add_change(request: &mut Canonical, declared: Option<&str>, body: &[u8]) -> Result<(), Refusal> {
    let Some(kind) = request.parts.kind.clone() else {
        return Err(Refusal::malformed("a change of something that is no resource"));
    };
    if body.is_empty() {
        return Err(Refusal::malformed(format!("a {} without a body", request.parts.method))
            .with_remedy("send the object, or the patch, as JSON"));
    }
    let content_type = ContentType::of(request.parts.method, declared)?;
    check_patch_type(request, content_type, &kind)?;
    let mut value = match content_type {
        ContentType::ApplyPatch => parse(body).map_err(|refusal| {
            content_type::unsupported(refusal.message())
                .with_remedy("send the apply patch as JSON, which is YAML too: the guard reads no other YAML")
        })?,
        _ => parse(body)?,
    };
    check_change(request, content_type, &value, &kind)?;
    managed_fields::drop_from(&mut value, content_type);
    request.set_dry_run(is_dry_run(request, &value)?);
    request.set_body(content_type, value);
    Ok(())
}

/// Checks what the body of a change says.
fn check_change(request: &Canonical, content_type: ContentType, body: &Value, kind: &Kind) -> Result<(), Refusal> {
    key_case::check(body)?;
    match (content_type, body) {
        (ContentType::JsonPatch, Value::Array(operations)) => {
            patch_oracle::check(operations, kind)?;
            agreement::check_patch(operations, &request.parts.attributes, kind)
        }
        (ContentType::JsonPatch, _) => Err(Refusal::malformed("a JSON patch that is no array")),
        (_, Value::Object(object)) => agreement::check(object, &request.parts.attributes, kind),
        _ => Err(Refusal::malformed("a body that is no JSON object")),
    }
}

/// Puts another body in the place of a change's, which passes the same checks. The effects stay, as far as the URL tells
/// them.
pub(super) fn replace(request: &mut Canonical, body: &Value) -> Result<(), Refusal> {
    let kind = request.parts.kind.clone();
    let content_type = request.parts.content_type.and_then(ContentType::named);
    let (Some(kind), Some(content_type)) = (kind, content_type) else {
        return Err(Refusal::malformed("a change of something that is no resource"));
    };
    let bytes = body.to_bytes();
    if bytes.len() > MAX_BODY {
        return Err(Refusal::malformed(
            "the body is too large once the policy has rewritten it",
        ));
    }
    // As strictly as if it had come like that: depth and keys too.
    let body = parse(&bytes)?;
    check_change(request, content_type, &body, &kind)?;
    let dry_run = is_dry_run(request, &body)?;
    if dry_run != request.parts.dry_run {
        return Err(Refusal::malformed("a rewrite that changes whether it is a dry run"));
    }
    request.set_body(content_type, body);
    if is_credential_secret(request) {
        request.parts.effects = request.parts.effects.with(Effect::Credential);
    }
    Ok(())
}

fn check_patch_type(request: &Canonical, content_type: ContentType, kind: &Kind) -> Result<(), Refusal> {
    if content_type != ContentType::ApplyPatch && request.parts.query.get("force").is_some() {
        return Err(
            Refusal::malformed("query key `force` on something other than an apply").with_remedy("leave it out")
        );
    }
    if content_type == ContentType::StrategicMergePatch && kind.origin != Origin::BuiltIn {
        return Err(
            content_type::unsupported("a strategic merge patch of a custom resource")
                .with_remedy("use a merge patch, application/merge-patch+json"),
        );
    }
    Ok(())
}

/// Whether the server persists nothing. An eviction can say so in its body too, but must not contradict itself.
fn is_dry_run(request: &Canonical, body: &Value) -> Result<bool, Refusal> {
    let in_query = request.parts.query.get("dryRun").is_some();
    if !is_eviction(&request.parts.attributes) {
        return Ok(in_query);
    }
    let Some(options) = body.get("deleteOptions").filter(|options| **options != Value::Null) else {
        return Ok(in_query);
    };
    delete_options::check(options, &agreement::EVICTIONS)?;
    Ok(in_query || delete_options::is_dry_run(options))
}

fn parse(body: &[u8]) -> Result<Value, Refusal> {
    Value::parse(body).map_err(|error| Refusal::malformed(format!("the body is not acceptable JSON: {error}")))
}

impl Canonical {
    fn set_body(&mut self, content_type: ContentType, value: Value) {
        self.parts.body = Some(Box::new(Body {
            bytes: value.to_bytes(),
            json: value,
        }));
        self.parts.content_type = Some(content_type.as_str());
    }

    fn set_dry_run(&mut self, dry_run: bool) {
        self.parts.dry_run = dry_run;
        if dry_run {
            self.parts.effects = lowered_by_dry_run(self.parts.effects, &self.parts.attributes);
        }
    }

    /// Writes the target anew after its query changed.
    fn rewrite_query(&mut self) {
        if let Some((path, _)) = self.target().split_once('?') {
            let mut target = path.to_owned();
            self.parts.query.write(&mut target);
            self.parts.target = Some(target.into());
        }
    }
}
