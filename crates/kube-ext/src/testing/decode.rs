//! What Go's decoder would refuse: enough of it that an object of the wrong shape can't be stored, and that the errors
//! leak what upstream's errors leak.

use std::fmt;

use base64::engine::{Engine, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, alphabet};
use serde_json::Value;

use super::errors::{ApiError, Cause};
use super::kinds::{CUSTOM, Resource, SCALE};
use super::object::{Object, meta_text, set};

/// Go's standard encoding lets stray bits at the end pass.
const GO_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// What is wrong with a value.
#[derive(Debug)]
pub(super) enum Flaw {
    /// A field of another type than the kind has there.
    Type {
        found: Value,
        field: String,
        wanted: String,
    },
    /// Base64 that ends at this byte.
    Base64(usize),
    /// Another kind, or another version of it.
    Kind(String),
    /// A custom resource that says it is of another kind.
    CustomKind(String),
    /// A custom resource that says it is of another version.
    CustomVersion(String),
    /// A custom resource that doesn't say what it is.
    NoKind,
}

impl fmt::Display for Flaw {
    /// As Go's JSON decoder says it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { found, field, wanted } => {
                write!(
                    f,
                    "json: cannot unmarshal {} into Go struct field {field} of type {wanted}",
                    kind_of(found)
                )
            }
            Self::Base64(at) => write!(f, "illegal base64 data at input byte {at}"),
            Self::Kind(why) | Self::CustomKind(why) | Self::CustomVersion(why) => f.write_str(why),
            Self::NoKind => f.write_str("Object 'Kind' is missing"),
        }
    }
}

impl Flaw {
    /// As the converter of strategic merge patches says it.
    pub(super) fn unrestorable(&self) -> String {
        match self {
            Self::Type { found, wanted, .. } => {
                let found = match found {
                    Value::Number(number) if number.is_f64() => "float64",
                    Value::Number(_) => "int64",
                    Value::Array(_) => "slice",
                    Value::Object(_) => "map",
                    other => kind_of(other),
                };
                match wanted.as_str() {
                    wanted if wanted.starts_with("map[") => format!("cannot restore map from {found}"),
                    wanted if wanted.starts_with("[]") => format!("cannot restore slice from {found}"),
                    wanted if wanted.starts_with("v1.") => format!("cannot restore struct from: {found}"),
                    wanted => format!("unrecognized type: {wanted}"),
                }
            }
            Self::Base64(_) => format!("error decoding from json: {self}"),
            _ => self.to_string(),
        }
    }

    /// As server-side apply says it.
    pub(super) fn untypable(&self) -> String {
        match self {
            Self::Type { found, field, wanted } if wanted.starts_with("map[") => {
                let path = field.split_once('.').map_or(field.as_str(), |(_, path)| path);
                format!(".{path}: expected map, got &{{{found}}}")
            }
            _ => self.to_string(),
        }
    }
}

/// The refusal of a body that is no object of a kind.
pub(super) fn unrecognized(kind: &str, body: &[u8], why: &str) -> ApiError {
    let shown = summarize(body);
    ApiError::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): {why} ({shown})"
    ))
}

/// A request body as JSON.
pub(super) fn json(kind: &str, body: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        unrecognized(
            kind,
            body,
            &format!("couldn't get version/kind; json parse error: {error}"),
        )
    })
}

/// A request body as an object of the kind, without its type.
pub(super) fn object(resource: &Resource, body: &[u8]) -> Result<Object, ApiError> {
    let mut object = match json(&resource.kind, body)? {
        Value::Object(object) => object,
        // Go decodes null into an empty object.
        Value::Null => Object::new(),
        other => {
            let why = format!(
                "json: cannot unmarshal {} into Go value of type struct",
                kind_of(&other)
            );
            let why = format!("couldn't get version/kind; json parse error: {why}");
            return Err(unrecognized(&resource.kind, body, &why));
        }
    };
    check(resource, &object).map_err(|flaw| match flaw {
        Flaw::NoKind => {
            let why = format!("{flaw} in '{}'", String::from_utf8_lossy(body));
            unrecognized(&resource.kind, body, &why)
        }
        flaw => refuse(resource, &object, &flaw),
    })?;
    set(&mut object, "kind", None);
    set(&mut object, "apiVersion", None);
    Ok(object)
}

/// The refusal of an object that was read and is none of the kind.
pub(super) fn refuse(resource: &Resource, object: &Object, flaw: &Flaw) -> ApiError {
    let said = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    match flaw {
        Flaw::CustomKind(why) => {
            let cause = Cause::invalid("kind", &Value::from(said("kind")).to_string(), why);
            ApiError::invalid_kind(said("kind"), &resource.group, meta_text(object, "name"), &[cause])
        }
        Flaw::CustomVersion(why) => ApiError::bad_request(why),
        flaw => {
            let kind = if said("kind").is_empty() {
                &resource.kind
            } else {
                said("kind")
            };
            let version = if said("apiVersion").is_empty() {
                &resource.version
            } else {
                said("apiVersion")
            };
            let version = version.rsplit('/').next().unwrap_or_default();
            let place = format!("{kind} in version \"{version}\"");
            ApiError::bad_request(format!("{place} cannot be handled as a {}: {flaw}", resource.kind))
        }
    }
}

/// Whether the value is an object of the kind.
pub(super) fn check(resource: &Resource, object: &Object) -> Result<(), Flaw> {
    check_kind(resource, object)?;
    check_metadata(resource, object)?;
    if resource.is_secret() {
        check_map(object.get("data"), "Secret.data", "[]uint8")?;
        check_base64(object.get("data"))?;
        check_map(object.get("stringData"), "Secret.stringData", "string")?;
        check_type(object.get("type"), Value::is_string, "Secret.type", "v1.SecretType")?;
        check_type(object.get("immutable"), Value::is_boolean, "Secret.immutable", "bool")?;
    }
    if resource.is_config_map() {
        check_map(object.get("data"), "ConfigMap.data", "string")?;
        check_map(object.get("binaryData"), "ConfigMap.binaryData", "[]uint8")?;
        check_base64(object.get("binaryData"))?;
        check_type(
            object.get("immutable"),
            Value::is_boolean,
            "ConfigMap.immutable",
            "bool",
        )?;
    }
    if resource.is(SCALE) {
        let replicas = object.get("spec").and_then(|spec| spec.get("replicas"));
        check_type(
            replicas,
            Value::is_i64,
            &format!("{}Spec.spec.replicas", resource.kind),
            "int32",
        )?;
    }
    if !resource.is(CUSTOM) {
        for (field, part) in [("spec", "Spec"), ("status", "Status")] {
            let place = format!("{}.{field}", resource.kind);
            check_type(
                object.get(field),
                Value::is_object,
                &place,
                &format!("v1.{}{part}", resource.kind),
            )?;
        }
    }
    Ok(())
}

fn check_kind(resource: &Resource, object: &Object) -> Result<(), Flaw> {
    let said = |field: &str| {
        object
            .get(field)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    if resource.is(CUSTOM) && (said("kind").is_none() || said("apiVersion").is_none()) {
        return Err(Flaw::NoKind);
    }
    let expected = resource.api_version();
    let kind = said("kind").unwrap_or(&resource.kind);
    let api_version = said("apiVersion").unwrap_or(&expected);
    if kind == resource.kind && api_version == expected {
        return Ok(());
    }
    if resource.is(CUSTOM) {
        return Err(if api_version == expected {
            Flaw::CustomKind(format!("must be {}", resource.kind))
        } else {
            Flaw::CustomVersion(format!(
                "the API version in the data ({api_version}) does not match the expected API version ({expected})"
            ))
        });
    }
    if kind == resource.kind {
        return Err(Flaw::Kind(not_registered(kind, api_version)));
    }
    let version = api_version.rsplit('/').next().unwrap_or_default();
    let (package, kind_here) = (resource.package(), &resource.kind);
    Err(Flaw::Kind(format!(
        "converting ({version}.{kind}) to ({package}.{kind_here}): unknown conversion"
    )))
}

/// What upstream's scheme says of a type that it doesn't have.
pub(super) fn not_registered(kind: &str, version: &str) -> String {
    format!("no kind \"{kind}\" is registered for version \"{version}\" in scheme \"pkg/runtime/scheme.go:111\"")
}

fn check_metadata(resource: &Resource, object: &Object) -> Result<(), Flaw> {
    let place = format!("{}.metadata", resource.kind);
    check_type(object.get("metadata"), Value::is_object, &place, "v1.ObjectMeta")?;
    let Some(metadata) = object.get("metadata").and_then(Value::as_object) else {
        return Ok(());
    };
    let prefix = if resource.is(CUSTOM) {
        "ObjectMeta"
    } else {
        "ObjectMeta.metadata"
    };
    for field in ["labels", "annotations"] {
        check_map(metadata.get(field), &format!("{prefix}.{field}"), "string")?;
    }
    for field in ["name", "generateName", "namespace", "uid", "resourceVersion"] {
        check_type(
            metadata.get(field),
            Value::is_string,
            &format!("{prefix}.{field}"),
            "string",
        )?;
    }
    for (field, of, is_item) in [
        ("finalizers", "string", Value::is_string as fn(&Value) -> bool),
        ("ownerReferences", "v1.OwnerReference", Value::is_object),
    ] {
        let place = format!("{prefix}.{field}");
        check_type(metadata.get(field), Value::is_array, &place, &format!("[]{of}"))?;
        for item in metadata.get(field).and_then(Value::as_array).into_iter().flatten() {
            check_type(Some(item), is_item, &place, of)?;
        }
    }
    Ok(())
}

/// A field that is there and not null has its type.
fn check_type(value: Option<&Value>, is: fn(&Value) -> bool, field: &str, wanted: &str) -> Result<(), Flaw> {
    match value.filter(|value| !value.is_null() && !is(value)) {
        Some(found) => Err(Flaw::Type {
            found: found.clone(),
            field: field.to_owned(),
            wanted: wanted.to_owned(),
        }),
        None => Ok(()),
    }
}

fn check_map(value: Option<&Value>, field: &str, of: &str) -> Result<(), Flaw> {
    check_type(value, Value::is_object, field, &format!("map[string]{of}"))?;
    value
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Object::values)
        .try_for_each(|item| check_type(Some(item), Value::is_string, field, of))
}

fn check_base64(value: Option<&Value>) -> Result<(), Flaw> {
    for text in value
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Object::values)
        .filter_map(Value::as_str)
    {
        if let Err(error) = decode_base64(text) {
            return Err(Flaw::Base64(match error {
                DecodeError::InvalidByte(at, _) => at,
                // Go names the beginning of the group that is cut off.
                _ => text.len() / 4 * 4,
            }));
        }
    }
    Ok(())
}

/// What a text stands for: Go's decoder skips line ends.
pub(super) fn decode_base64(text: &str) -> Result<Vec<u8>, DecodeError> {
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    GO_BASE64.decode(text)
}

pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The beginning of a body as errors quote it: text where it could be JSON, hex otherwise.
fn summarize(body: &[u8]) -> String {
    const SHOWN: usize = 30;
    let head = body.get(..SHOWN).unwrap_or(body);
    let more = if body.len() > SHOWN { " ..." } else { "" };
    match head.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{more}", String::from_utf8_lossy(head)),
        Some(_) => format!("{}{more}", hex::encode(head)),
    }
}
