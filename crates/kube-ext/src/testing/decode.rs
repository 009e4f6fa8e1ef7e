//! What Go's decoder would refuse: enough of it that an object of the wrong shape can't be stored, and that the errors
//! leak what upstream's errors leak.

use base64::alphabet;
use base64::engine::{Engine, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::errors::ApiError;
use super::kinds::{CUSTOM, Resource, SCALE};
use super::object::{Object, set};

/// Go's standard encoding lets stray bits at the end pass.
const GO_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// A request body as an object of the kind, without its type.
pub(super) fn object(resource: &Resource, body: &[u8]) -> Result<Object, ApiError> {
    let unrecognized = |why: &str| {
        ApiError::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): {why} ({})",
            resource.kind,
            summarize(body)
        ))
    };
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| unrecognized(&format!("couldn't get version/kind; json parse error: {error}")))?;
    let Value::Object(mut object) = value else {
        let why = format!("json: cannot unmarshal {} into an object", kind_of(&value));
        return Err(unrecognized(&format!(
            "couldn't get version/kind; json parse error: {why}"
        )));
    };
    if resource.is(CUSTOM) && !object.get("kind").is_some_and(Value::is_string) {
        return Err(unrecognized("Object 'Kind' is missing"));
    }
    let as_kind = |why: &str| {
        let kind = object.get("kind").and_then(Value::as_str).unwrap_or(&resource.kind);
        ApiError::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {}: {why}",
            resource.version, resource.kind
        ))
    };
    check(resource, &object).map_err(|why| as_kind(&why))?;
    set(&mut object, "kind", None);
    set(&mut object, "apiVersion", None);
    Ok(object)
}

/// Whether the value is an object of the kind; the error is Go's.
pub(super) fn check(resource: &Resource, object: &Object) -> Result<(), String> {
    let said = |field: &str| {
        object
            .get(field)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let kind = said("kind").unwrap_or(&resource.kind);
    let api_version = said("apiVersion").map_or_else(|| resource.api_version(), str::to_owned);
    if kind != resource.kind || api_version != resource.api_version() {
        return Err(format!(
            "converting ({}.{kind}) to ({}.{}): unknown conversion",
            api_version.rsplit('/').next().unwrap_or_default(),
            if resource.group.is_empty() {
                "core"
            } else {
                &resource.group
            },
            resource.kind
        ));
    }
    check_metadata(resource, object)?;
    if resource.is_secret() {
        check_map(object.get("data"), "Secret.data", "[]uint8")?;
        check_base64(object.get("data"))?;
        check_map(object.get("stringData"), "Secret.stringData", "string")?;
    }
    if resource.is_config_map() {
        check_map(object.get("data"), "ConfigMap.data", "string")?;
        check_map(object.get("binaryData"), "ConfigMap.binaryData", "[]uint8")?;
        check_base64(object.get("binaryData"))?;
    }
    if resource.is(SCALE)
        && let Some(replicas) = object.get("spec").and_then(|spec| spec.get("replicas"))
        && !replicas.is_i64()
        && !replicas.is_null()
    {
        return Err(unmarshal(
            replicas,
            &format!("{}Spec.spec.replicas", resource.kind),
            "int32",
        ));
    }
    for field in ["spec", "status"] {
        if let Some(value) = object.get(field)
            && !value.is_object()
            && !value.is_null()
            && !resource.is(CUSTOM)
        {
            return Err(unmarshal(
                value,
                &format!("{}.{field}", resource.kind),
                &format!("v1.{}", resource.kind),
            ));
        }
    }
    Ok(())
}

fn check_metadata(resource: &Resource, object: &Object) -> Result<(), String> {
    let Some(metadata) = object.get("metadata").filter(|value| !value.is_null()) else {
        return Ok(());
    };
    let Some(metadata) = metadata.as_object() else {
        return Err(unmarshal(
            metadata,
            &format!("{}.metadata", resource.kind),
            "v1.ObjectMeta",
        ));
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
        if let Some(value) = metadata
            .get(field)
            .filter(|value| !value.is_null() && !value.is_string())
        {
            return Err(unmarshal(value, &format!("{prefix}.{field}"), "string"));
        }
    }
    for (field, of, is_item) in [
        ("finalizers", "string", Value::is_string as fn(&Value) -> bool),
        ("ownerReferences", "v1.OwnerReference", Value::is_object),
    ] {
        let Some(value) = metadata.get(field).filter(|value| !value.is_null()) else {
            continue;
        };
        let Some(items) = value.as_array() else {
            return Err(unmarshal(value, &format!("{prefix}.{field}"), &format!("[]{of}")));
        };
        if let Some(item) = items.iter().find(|item| !is_item(item)) {
            return Err(unmarshal(item, &format!("{prefix}.{field}"), of));
        }
    }
    Ok(())
}

fn check_map(value: Option<&Value>, field: &str, of: &str) -> Result<(), String> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Ok(());
    };
    let Some(map) = value.as_object() else {
        return Err(unmarshal(value, field, &format!("map[string]{of}")));
    };
    match map.values().find(|item| !item.is_string() && !item.is_null()) {
        Some(item) => Err(unmarshal(item, field, of)),
        None => Ok(()),
    }
}

fn check_base64(value: Option<&Value>) -> Result<(), String> {
    for text in value
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Object::values)
        .filter_map(Value::as_str)
    {
        // Go's decoder skips line ends.
        let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        if let Err(error) = GO_BASE64.decode(&text) {
            let at = match error {
                base64::DecodeError::InvalidByte(at, _) => at,
                _ => text.len(),
            };
            return Err(format!("illegal base64 data at input byte {at}"));
        }
    }
    Ok(())
}

fn unmarshal(value: &Value, field: &str, of: &str) -> String {
    format!(
        "json: cannot unmarshal {} into Go struct field {field} of type {of}",
        kind_of(value)
    )
}

fn kind_of(value: &Value) -> &'static str {
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
