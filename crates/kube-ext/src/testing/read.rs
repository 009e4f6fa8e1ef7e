//! Get, list with paging, and the options of a watch.

use std::sync::Arc;

use base64::engine::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::errors::{ApiError, Cause};
use super::negotiate::View;
use super::object::Object;
use super::query::Query;
use super::selector::Selector;
use super::state::{State, Target};
use super::store::Key;

const CONTINUE_VERSION: &str = "meta.k8s.io/v1";

/// A page of a list.
pub(super) struct Page {
    pub(super) items: Vec<Arc<Object>>,
    pub(super) metadata: Object,
}

/// A watch that was accepted: what its stream needs.
#[derive(Clone, Debug)]
pub(super) struct WatchSpec {
    pub(super) target: Target,
    pub(super) selector: Selector,
    pub(super) view: View,
    /// The revision that the caller knows; none asks for the state as it is first.
    pub(super) from: Option<u64>,
    pub(super) bookmarks: bool,
    pub(super) timeout_seconds: Option<u64>,
}

/// Where the next page of a list begins, and at which revision: as upstream writes it.
struct Continue {
    revision: u64,
    namespace: String,
    name: String,
}

/// GET of one object.
pub(super) fn get(state: &State, target: &Target, query: &Query) -> Result<Arc<Object>, ApiError> {
    if let Some(raw) = query.text("resourceVersion") {
        state
            .store
            .check_reached(raw.parse().map_err(|_| ApiError::internal(bad_revision(raw)))?)?;
    }
    state
        .get(target)
        .cloned()
        .ok_or_else(|| ApiError::not_found(&target.resource, &target.name))
}

/// GET of a collection.
pub(super) fn list(state: &State, target: &Target, query: &Query) -> Result<Page, ApiError> {
    let selector = selector(target, query)?;
    let limit = number(query, "limit")?
        .and_then(|limit| usize::try_from(limit).ok())
        .filter(|limit| *limit > 0);
    number(query, "timeoutSeconds")?;
    check_list_options(query)?;
    let asked = query.text("resourceVersion").map(list_revision).transpose()?;
    let next = query.text("continue").map(Continue::parse).transpose()?;
    if next.is_some() && asked.is_some_and(|asked| asked > 0) {
        return Err(ApiError::bad_request(
            "specifying resource version is not allowed when using continue",
        ));
    }
    if let Some(asked) = asked {
        state.store.check_reached(asked)?;
    }
    let exact = query.text("resourceVersionMatch") == Some("Exact");
    let revision = match (&next, asked) {
        (Some(next), _) => next.revision,
        (None, Some(asked)) if exact => asked,
        _ => state.store.revision(),
    };
    let Some(all) = state.store.list_at(&target.resource, target.scope(), revision) else {
        return Err(match next {
            Some(next) => ApiError::expired_continue(
                Continue {
                    revision: state.store.revision(),
                    ..next
                }
                .token(),
            ),
            None => ApiError::expired("The resourceVersion for the provided list is too old."),
        });
    };
    let after = |key: &Key| {
        next.as_ref()
            .is_none_or(|next| (&key.namespace, &key.name) >= (&next.namespace, &next.name))
    };
    let mut matching = all
        .into_iter()
        .filter(|(key, object)| after(key) && selector.matches(object));
    let items: Vec<(Key, Arc<Object>)> = matching.by_ref().take(limit.unwrap_or(usize::MAX)).collect();
    let mut metadata = Object::new();
    metadata.insert("resourceVersion".to_owned(), revision.to_string().into());
    let mut rest = matching.peekable();
    if let Some((key, _)) = rest.peek() {
        let next = Continue {
            revision,
            namespace: key.namespace.clone(),
            name: key.name.clone(),
        };
        metadata.insert("continue".to_owned(), next.token().into());
        if selector.is_empty() {
            metadata.insert("remainingItemCount".to_owned(), rest.count().into());
        }
    }
    Ok(Page {
        items: items.into_iter().map(|(_, object)| object).collect(),
        metadata,
    })
}

/// GET of a collection with `watch`.
pub(super) fn watch(state: &State, target: &Target, query: &Query, view: View) -> Result<WatchSpec, ApiError> {
    let mut selector = selector(target, query)?;
    if !target.name.is_empty() {
        selector = selector.named(&target.name);
    }
    let initial = query.flag("sendInitialEvents");
    check_watch_options(query, initial)?;
    let from = match query.text("resourceVersion") {
        None => None,
        Some(raw) => Some(raw.parse::<u64>().map_err(|_| ApiError::internal(bad_revision(raw)))?),
    };
    let from = match (initial, from.filter(|from| *from > 0)) {
        (Some(true), _) => None,
        // Nothing known and no initial state wanted: from now on.
        (Some(false), None) => Some(state.store.revision()),
        (_, from) => from,
    };
    Ok(WatchSpec {
        target: target.clone(),
        selector,
        view,
        from,
        bookmarks: query.flag("allowWatchBookmarks").unwrap_or(false),
        timeout_seconds: number(query, "timeoutSeconds")?.and_then(|seconds| u64::try_from(seconds).ok()),
    })
}

fn selector(target: &Target, query: &Query) -> Result<Selector, ApiError> {
    let raw = |key| query.get(key).unwrap_or_default();
    Selector::parse(&target.resource, raw("labelSelector"), raw("fieldSelector"))
}

fn number(query: &Query, key: &str) -> Result<Option<i64>, ApiError> {
    let parse = |raw: &str| {
        raw.parse::<i64>()
            .map_err(|_| ApiError::bad_request(format!("strconv.ParseInt: parsing \"{raw}\": invalid syntax")))
    };
    query.text(key).map(parse).transpose()
}

fn bad_revision(raw: &str) -> String {
    format!("resourceVersion: Invalid value: \"{raw}\": strconv.ParseUint: parsing \"{raw}\": invalid syntax")
}

fn list_revision(raw: &str) -> Result<u64, ApiError> {
    raw.parse()
        .map_err(|_| ApiError::bad_request(format!("invalid resource version: {}", bad_revision(raw))))
}

fn check_list_options(query: &Query) -> Result<(), ApiError> {
    const FIELD: &str = "resourceVersionMatch";
    let mut causes = Vec::new();
    if let Some(wanted) = query.text(FIELD) {
        if query.text("resourceVersion").is_none() {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            causes.push(Cause::forbidden(FIELD, why));
        }
        if query.text("continue").is_some() {
            causes.push(Cause::forbidden(
                FIELD,
                "resourceVersionMatch is forbidden when continue is provided",
            ));
        }
        if !matches!(wanted, "Exact" | "NotOlderThan") {
            let supported = "\"Exact\", \"NotOlderThan\", \"\"";
            causes.push(Cause::not_supported(FIELD, &json!(wanted).to_string(), supported));
        }
        if wanted == "Exact" && query.text("resourceVersion") == Some("0") {
            let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            causes.push(Cause::forbidden(FIELD, why));
        }
    }
    if query.get("sendInitialEvents").is_some() {
        causes.push(Cause::forbidden(
            "sendInitialEvents",
            "sendInitialEvents is forbidden for list",
        ));
    }
    refuse(&causes)
}

fn check_watch_options(query: &Query, initial: Option<bool>) -> Result<(), ApiError> {
    const FIELD: &str = "resourceVersionMatch";
    let mut causes = Vec::new();
    let wanted = query.text(FIELD);
    if initial.is_some() && wanted != Some("NotOlderThan") {
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        causes.push(Cause::forbidden(FIELD, why));
    }
    if let Some(wanted) = wanted {
        if initial.is_none() {
            let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            causes.push(Cause::forbidden(FIELD, why));
        }
        if wanted != "NotOlderThan" {
            causes.push(Cause::not_supported(
                FIELD,
                &json!(wanted).to_string(),
                "\"NotOlderThan\"",
            ));
        }
    }
    if query.text("continue").is_some() {
        causes.push(Cause::forbidden(
            FIELD,
            "resourceVersionMatch is forbidden when continue is provided",
        ));
    }
    refuse(&causes)
}

fn refuse(causes: &[Cause]) -> Result<(), ApiError> {
    if causes.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid_options("ListOptions", causes))
    }
}

impl Continue {
    fn token(&self) -> String {
        let start = format!("{}/{}", self.namespace, self.name);
        let token = json!({ "v": CONTINUE_VERSION, "rv": self.revision, "start": start });
        URL_SAFE_NO_PAD.encode(token.to_string())
    }

    fn parse(token: &str) -> Result<Self, ApiError> {
        let invalid =
            |why: &str| ApiError::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
        let bytes = URL_SAFE_NO_PAD
            .decode(token.trim_end_matches('='))
            .map_err(|_| invalid("illegal base64 data"))?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| invalid(&error.to_string()))?;
        if value.get("v").and_then(Value::as_str) != Some(CONTINUE_VERSION) {
            let version = value.get("v").and_then(Value::as_str).unwrap_or_default();
            return Err(invalid(&format!(
                "server does not recognize this encoded version {version}"
            )));
        }
        let start = value.get("start").and_then(Value::as_str);
        let (Some(revision), Some((namespace, name))) = (
            value.get("rv").and_then(Value::as_u64),
            start.and_then(|start| start.split_once('/')),
        ) else {
            return Err(invalid("incorrect encoded start resourceVersion"));
        };
        Ok(Self {
            revision,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }
}
