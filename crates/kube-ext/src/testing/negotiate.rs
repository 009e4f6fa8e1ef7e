//! What the caller asked to see, and in which form.

use http::HeaderMap;
use http::header::ACCEPT;

use super::errors::ApiError;
use super::query::Query;

const REPRESENTATIONS: &str = "406: Not Acceptable\n\nAvailable representations: application/json";
const MEDIA_TYPES: &str = "only the following media types are accepted: application/json";

/// How objects are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Plain,
    Table(Include),
    Metadata,
    MetadataList,
}

/// What a Table's rows carry besides their cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Include {
    None,
    Metadata,
    Object,
}

/// The first form of `Accept` that is served; there is no weighing by `q`.
pub(super) fn view(headers: &HeaderMap, query: &Query) -> Result<View, ApiError> {
    let accept = accept(headers);
    if accept.trim().is_empty() {
        return Ok(View::Plain);
    }
    let mut json = false;
    for range in accept.split(',') {
        let Some(parameters) = json_parameters(range) else {
            continue;
        };
        json = true;
        let get = |key: &str| {
            parameters
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_str())
        };
        let (group, version) = (get("g").unwrap_or_default(), get("v").unwrap_or_default());
        let meta = group == "meta.k8s.io" && matches!(version, "v1" | "v1beta1");
        match get("as") {
            None => return Ok(View::Plain),
            Some("Table") if meta => return Ok(View::Table(include(query)?)),
            Some("PartialObjectMetadata") if meta => return Ok(View::Metadata),
            Some("PartialObjectMetadataList") if meta => return Ok(View::MetadataList),
            Some(_) => {}
        }
    }
    Err(ApiError::not_acceptable(if json {
        MEDIA_TYPES
    } else {
        REPRESENTATIONS
    }))
}

/// Whether discovery is asked for in its aggregated form before the plain one.
pub(super) fn wants_aggregated(headers: &HeaderMap) -> bool {
    let accept = accept(headers);
    for range in accept.split(',') {
        let Some(parameters) = json_parameters(range) else {
            continue;
        };
        let get = |key: &str| {
            parameters
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_str())
        };
        match get("as") {
            None => return false,
            Some("APIGroupDiscoveryList") if get("g") == Some("apidiscovery.k8s.io") && get("v") == Some("v2") => {
                return true;
            }
            Some(_) => {}
        }
    }
    false
}

fn accept(headers: &HeaderMap) -> String {
    let lines: Vec<&str> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    lines.join(",")
}

/// The parameters of a media range that JSON falls under.
fn json_parameters(range: &str) -> Option<Vec<(String, String)>> {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next()?.to_ascii_lowercase();
    if !matches!(media.as_str(), "application/json" | "application/*" | "*/*") {
        return None;
    }
    let parameters = parts.filter_map(|part| {
        let (key, value) = part.split_once('=')?;
        Some((
            key.trim().to_ascii_lowercase(),
            value.trim().trim_matches('"').to_owned(),
        ))
    });
    Some(parameters.collect())
}

fn include(query: &Query) -> Result<Include, ApiError> {
    match query.text("includeObject") {
        None | Some("Metadata") => Ok(Include::Metadata),
        Some("Object") => Ok(Include::Object),
        Some("None") => Ok(Include::None),
        Some(other) => Err(ApiError::bad_request(format!(
            "Unable to convert to Table as requested: includeObject: Invalid value: \"{other}\": must be 'Metadata', \
             'Object', 'None', or empty"
        ))),
    }
}
