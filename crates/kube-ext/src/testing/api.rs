//! From a request to what answers it: routing as a real API server routes, one function per verb.

use http::{HeaderMap, Method};
use serde_json::Value;

use bytes::Bytes;

use super::delete::{self, DeleteOptions};
use super::discovery;
use super::errors::ApiError;
use super::kinds::{CUSTOM, NAMESPACED};
use super::negotiate::{View, view, wants_aggregated};
use super::query::{Query, segments};
use super::read::{self, WatchSpec};
use super::render;
use super::state::{State, Target};
use super::subresource::{self, LogSpec};
use super::{patch, write};

const JSON: &str = "application/json";
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const TEXT: &str = "text/plain; charset=utf-8";

/// A request, read whole.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) query: Query,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) content_type: &'static str,
    pub(super) body: ReplyBody,
}

/// The body of an answer: bytes, or a stream that goes on.
#[derive(Debug)]
pub(super) enum ReplyBody {
    Full(Bytes),
    Watch(WatchSpec),
    Log(LogSpec),
}

impl Reply {
    fn json(code: u16, body: Bytes) -> Self {
        Self {
            code,
            content_type: JSON,
            body: ReplyBody::Full(body),
        }
    }

    fn text(code: u16, text: impl Into<Bytes>) -> Self {
        Self {
            code,
            content_type: TEXT,
            body: ReplyBody::Full(text.into()),
        }
    }

    fn page_not_found() -> Self {
        Self::text(404, "404 page not found\n")
    }

    /// A refusal as a Status.
    pub(super) fn refusal(error: &ApiError) -> Self {
        Self::json(error.code, render::document(&error.status()))
    }
}

/// Where a path leads.
enum Route {
    Target(Target),
    Reply(Reply),
}

/// Answers a request.
pub(super) fn handle(state: &mut State, call: &Call<'_>) -> Reply {
    let Some(parts) = segments(call.path) else {
        return Reply::text(400, "400 Bad Request");
    };
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let answer = match route(state, call, &parts) {
        Ok(Route::Reply(reply)) => Ok(reply),
        Ok(Route::Target(target)) => resource(state, call, &target),
        Err(error) => Err(error),
    };
    answer.unwrap_or_else(|error| Reply::refusal(&error))
}

fn route(state: &State, call: &Call<'_>, parts: &[&str]) -> Result<Route, ApiError> {
    // Groups are served by handlers that look at no method.
    let any = |found: Option<Vec<(&'static str, Value)>>| {
        let reply = found.map_or_else(Reply::page_not_found, |document| {
            Reply::json(200, render::document(&document))
        });
        Ok(Route::Reply(reply))
    };
    let document = |found| {
        if call.method == Method::GET {
            any(found)
        } else {
            Err(ApiError::method_not_allowed())
        }
    };
    match parts {
        [] => document(Some(discovery::paths(state))),
        ["version"] => document(Some(discovery::version())),
        // Not behind the router that refuses other methods.
        ["healthz" | "livez" | "readyz"] if !call.path.ends_with('/') => Ok(Route::Reply(Reply::text(200, "ok"))),
        [prefix @ ("api" | "apis")] if wants_aggregated(call.headers) => {
            let body = render::document(&discovery::aggregated(state, *prefix == "api"));
            Ok(Route::Reply(Reply {
                content_type: AGGREGATED,
                ..Reply::json(200, body)
            }))
        }
        ["api"] => document(Some(discovery::core_versions())),
        ["apis"] => any(Some(discovery::group_list(state))),
        ["apis", group] => any(discovery::group(state, group)),
        ["api", "v1"] => document(discovery::resource_list(state, "", "v1")),
        ["api", _] => Err(ApiError::no_such_resource()),
        ["apis", group, version] => match discovery::resource_list(state, group, version) {
            None if is_built_in(state, group) => Err(ApiError::no_such_resource()),
            found if is_built_in(state, group) => document(found),
            found => any(found),
        },
        // Before any routing, upstream can't say what such a request is about.
        ["api", _, "watch" | "proxy"] | ["apis", _, _, "watch" | "proxy"] => {
            let path = call.path;
            let why = format!("failed to create RequestInfo: unable to determine kind and namespace from url, {path}");
            Ok(Route::Reply(Reply::text(
                500,
                format!("Internal Server Error: \"{path}\": {why}\n"),
            )))
        }
        ["api", version, rest @ ..] => target(state, call, "", version, rest),
        ["apis", group, version, rest @ ..] if state.knows_group(group) => target(state, call, group, version, rest),
        _ => Ok(Route::Reply(Reply::page_not_found())),
    }
}

fn is_built_in(state: &State, group: &str) -> bool {
    state
        .registry
        .iter()
        .any(|resource| resource.group == group && !resource.is(CUSTOM))
}

/// Finds the resource, and refuses a path whose scope isn't the resource's.
fn target(state: &State, call: &Call<'_>, group: &str, version: &str, rest: &[&str]) -> Result<Route, ApiError> {
    let nothing = || {
        // What the router for built-in groups doesn't know is a Status; other groups end in a plain page.
        if group.is_empty() || is_built_in(state, group) {
            Err(ApiError::no_such_resource())
        } else {
            Ok(Route::Reply(Reply::page_not_found()))
        }
    };
    let (watch_prefix, rest) = match rest {
        ["watch", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (namespace, rest): (&str, &[&str]) = match rest {
        ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => ("", rest),
        ["namespaces", namespace, rest @ ..] => (namespace, rest),
        rest => ("", rest),
    };
    let (plural, name, subresource) = match rest {
        [plural] => (*plural, "", ""),
        [plural, name] => (*plural, *name, ""),
        [plural, name, subresource] => (*plural, *name, *subresource),
        _ => return nothing(),
    };
    let Some(resource) = state.find(group, version, plural) else {
        return nothing();
    };
    let whole_cluster = namespace.is_empty() && name.is_empty();
    let in_scope = resource.is(NAMESPACED) != namespace.is_empty() || (resource.is(NAMESPACED) && whole_cluster);
    // A slash in a name was an escaped one; upstream's router has no route for it.
    let odd = rest.contains(&"") || name.contains('/');
    if !in_scope || odd {
        return nothing();
    }
    if whole_cluster && resource.is(NAMESPACED) && !matches!(*call.method, Method::GET | Method::HEAD) {
        return if resource.is(CUSTOM) {
            nothing()
        } else {
            Err(ApiError::method_not_allowed())
        };
    }
    Ok(Route::Target(Target {
        resource,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        subresource: subresource.to_owned(),
        watch_prefix,
    }))
}

fn resource(state: &mut State, call: &Call<'_>, target: &Target) -> Result<Reply, ApiError> {
    let mut method = call.method;
    if method == Method::HEAD {
        // The router of built-in resources knows no HEAD; custom resources go by the verb, and HEAD is get or list.
        if !target.resource.is(CUSTOM) {
            return Err(ApiError::method_not_allowed());
        }
        method = &Method::GET;
    }
    if !target.subresource.is_empty() && !matches!(target.subresource.as_str(), "status" | "finalize") {
        return subresource(state, call, target);
    }
    let known = target.subresource.is_empty()
        || target
            .resource
            .subresources()
            .iter()
            .any(|subresource| subresource.name == target.subresource);
    if !known {
        return Err(unknown_subresource(target));
    }
    let (resource, query) = (&target.resource, &call.query);
    let view = view(call.headers, query)?;
    let (collection, sub) = (target.name.is_empty(), !target.subresource.is_empty());
    match *method {
        Method::GET if target.watch_prefix || (collection && query.flag("watch").unwrap_or(false)) => {
            let body = ReplyBody::Watch(read::watch(state, target, query, view)?);
            Ok(Reply {
                code: 200,
                content_type: JSON,
                body,
            })
        }
        _ if target.watch_prefix => Err(ApiError::method_not_allowed()),
        Method::GET if collection => {
            let page = read::list(state, target, query)?;
            Ok(Reply::json(
                200,
                render::list(resource, page.metadata, &page.items, view)?,
            ))
        }
        Method::GET if target.subresource != "finalize" => {
            let object = read::get(state, target, query)?;
            Ok(Reply::json(200, render::object(resource, &object, view)?))
        }
        Method::POST if collection => {
            check_body_type(call)?;
            let object = write::create(state, target, query, call.body)?;
            Ok(Reply::json(201, render::object(resource, &object, view)?))
        }
        Method::PUT if !collection => {
            check_body_type(call)?;
            let (object, created) = write::update(state, target, query, call.body)?;
            Ok(Reply::json(
                if created { 201 } else { 200 },
                render::object(resource, &object, view)?,
            ))
        }
        Method::PATCH if !collection && target.subresource != "finalize" => {
            let (object, created) = patch::patch(state, target, query, content_type(call), call.body)?;
            Ok(Reply::json(
                if created { 201 } else { 200 },
                render::object(resource, &object, view)?,
            ))
        }
        Method::DELETE if collection && !resource.is_namespace() => delete_collection(state, call, target, view),
        Method::DELETE if !collection && !sub => {
            let deleted = delete::delete(state, target, &delete_options(call)?)?;
            let body = if deleted.shown {
                render::object(resource, &deleted.object, view)?
            } else {
                render::document(&delete::success(target, &deleted.object))
            };
            Ok(Reply::json(200, body))
        }
        _ => Err(ApiError::method_not_allowed()),
    }
}

fn delete_collection(state: &mut State, call: &Call<'_>, target: &Target, view: View) -> Result<Reply, ApiError> {
    let options = delete_options(call)?;
    let page = read::list(state, target, &call.query)?;
    delete::delete_all(state, target, &page.items, &options)?;
    Ok(Reply::json(
        200,
        render::list(&target.resource, page.metadata, &page.items, view)?,
    ))
}

fn delete_options(call: &Call<'_>) -> Result<DeleteOptions, ApiError> {
    if !call.body.is_empty() {
        check_body_type(call)?;
    }
    DeleteOptions::parse(&call.query, call.body)
}

fn subresource(state: &mut State, call: &Call<'_>, target: &Target) -> Result<Reply, ApiError> {
    let (resource, query) = (&target.resource, &call.query);
    if resource.lacks(&target.subresource) {
        return Err(ApiError::not_here(&format!(
            "{}/{}",
            resource.plural, target.subresource
        )));
    }
    if !resource
        .subresources()
        .iter()
        .any(|known| known.name == target.subresource)
    {
        return Err(unknown_subresource(target));
    }
    match (target.subresource.as_str(), call.method) {
        ("scale", &Method::GET) => Ok(Reply::json(200, render::document(&subresource::scale(state, target)?))),
        ("scale", &Method::PUT) => {
            check_body_type(call)?;
            let scale = subresource::update_scale(state, target, query, call.body)?;
            Ok(Reply::json(200, render::document(&scale)))
        }
        ("scale", &Method::PATCH) => {
            let scale = subresource::patch_scale(state, target, query, content_type(call), call.body)?;
            Ok(Reply::json(200, render::document(&scale)))
        }
        ("eviction", &Method::POST) => {
            check_body_type(call)?;
            Ok(Reply::json(
                201,
                render::document(&subresource::evict(state, target, query, call.body)?),
            ))
        }
        ("log", &Method::GET) => {
            let spec = subresource::log(state, target, query)?;
            Ok(Reply {
                code: 200,
                content_type: "text/plain",
                body: ReplyBody::Log(spec),
            })
        }
        _ => Err(ApiError::method_not_allowed()),
    }
}

fn unknown_subresource(target: &Target) -> ApiError {
    if target.resource.is(CUSTOM) {
        return ApiError::not_found(&target.resource, &target.name);
    }
    ApiError::no_such_resource()
}

fn content_type<'a>(call: &Call<'a>) -> &'a str {
    call.headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// JSON, or nothing said, which is JSON too.
fn check_body_type(call: &Call<'_>) -> Result<(), ApiError> {
    let media = content_type(call)
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if media.is_empty() || media == JSON {
        return Ok(());
    }
    Err(ApiError::unsupported_media_type(JSON))
}
