//! The request of a case: as it is sent, or in the words of RBAC.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::spec::Request;
use crate::policy::document::error::Problems;
use crate::policy::document::fields::{Fields, boolean, each, one_of, text};
use crate::policy::document::rule::given;
use crate::policy::document::values;
use crate::policy::document::yaml::{Node, Value};
use crate::request::Verb;

/// Fields of a request as it is sent.
const SENT: [&str; 4] = ["method", "path", "headers", "body"];
/// Fields of a request in the words of RBAC.
const RBAC: [&str; 10] = [
    "verb",
    "resource",
    "namespace",
    "name",
    "version",
    "patch",
    "query",
    "dryRun",
    "headers",
    "body",
];

/// What stays plain in a path segment and in a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');

/// Content types of patches.
const PATCHES: [(&str, &str); 4] = [
    ("json", "application/json-patch+json"),
    ("merge", "application/merge-patch+json"),
    ("strategic", "application/strategic-merge-patch+json"),
    ("apply", "application/apply-patch+yaml"),
];

/// A handshake that the gate accepts.
const HANDSHAKE: [(&str, &str); 5] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-protocol", "v5.channel.k8s.io"),
];

pub(super) fn read(node: &Node, problems: &mut Problems<'_>) -> Option<Request> {
    if node.get("method").is_some() || node.get("path").is_some() {
        sent(node, problems)
    } else {
        in_words(node, problems)
    }
}

fn sent(node: &Node, problems: &mut Problems<'_>) -> Option<Request> {
    let fields = Fields::read(node, "a request with a `path`", &SENT, &[], problems)?;
    let mut required = |name: &str| {
        let node = fields.require(name, problems)?;
        text(node, &format!("`{name}`"), problems).map(ToOwned::to_owned)
    };
    let (method, target) = (required("method"), required("path"));
    let (headers, body) = rest(&fields, problems)?;
    Some(Request {
        headers: typed(headers, &body, None),
        method: method?,
        target: target?,
        body,
    })
}

fn in_words(node: &Node, problems: &mut Problems<'_>) -> Option<Request> {
    let fields = Fields::read(node, "a request", &RBAC, &[], problems)?;
    let verb = fields.require("verb", problems);
    let verb = verb.and_then(|node| values::verb(node, problems));
    let resource = fields.require("resource", problems);
    let resource = resource.and_then(|node| resource_path(node, problems));
    let mut optional = |name: &str| {
        let node = fields.get(name)?;
        Some(text(node, &format!("`{name}`"), problems).map(ToOwned::to_owned))
    };
    let (namespace, name, version) = (optional("namespace"), optional("name"), optional("version"));
    let patch = fields
        .get("patch")
        .map(|node| one_of(node, "type of patch", &PATCHES, problems));
    let query = fields.get("query").map(|node| query(node, problems));
    let dry_run = fields.get("dryRun").map(|node| boolean(node, "`dryRun`", problems));
    let rest = rest(&fields, problems);
    let (namespace, name, version) = (given(namespace)?, given(name)?, given(version)?);
    let (patch, query, dry_run) = (given(patch)?, given(query)?, given(dry_run)?.unwrap_or_default());
    let (verb, resource, (mut headers, body)) = (verb?, resource?, rest?);
    if (verb == Verb::Patch) != patch.is_some() {
        let message = "`patch: merge`, `json`, `strategic` or `apply` stands beside `verb: patch`, and only there";
        problems.add(node.span, message);
        return None;
    }
    if matches!(resource.subresource.as_str(), "exec" | "attach" | "portforward") {
        headers.extend(HANDSHAKE.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    let version = version.unwrap_or_else(|| version_of(fields.get("body")).unwrap_or("v1").to_owned());
    let mut pairs = query.unwrap_or_default();
    if verb == Verb::Watch {
        pairs.push(("watch".to_owned(), "true".to_owned()));
    }
    if dry_run {
        pairs.push(("dryRun".to_owned(), "All".to_owned()));
    }
    Some(Request {
        method: method(verb).to_owned(),
        target: resource.target(&version, namespace.as_deref(), name.as_deref(), &pairs),
        headers: typed(headers, &body, patch),
        body,
    })
}

fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "POST",
        Verb::Update => "PUT",
        Verb::Patch => "PATCH",
        Verb::Delete | Verb::DeleteCollection => "DELETE",
        Verb::Get | Verb::List | Verb::Watch | Verb::Head => "GET",
    }
}

/// `deployments.apps/scale`, taken apart.
struct Resource {
    resource: String,
    group: String,
    subresource: String,
}

fn resource_path(node: &Node, problems: &mut Problems<'_>) -> Option<Resource> {
    let text = text(node, "`resource`", problems)?;
    if text.contains('*') {
        problems.add(node.span, "a request is about one resource: `*` has no meaning here");
        return None;
    }
    // The same names and the same help as in a policy.
    values::resource(node, problems)?;
    let (main, subresource) = text.split_once('/').unwrap_or((text, ""));
    let (resource, group) = main.split_once('.').unwrap_or((main, ""));
    Some(Resource {
        resource: resource.to_owned(),
        group: group.to_owned(),
        subresource: subresource.to_owned(),
    })
}

impl Resource {
    fn target(&self, version: &str, namespace: Option<&str>, name: Option<&str>, query: &[(String, String)]) -> String {
        let mut target = match self.group.as_str() {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        };
        let mut push = |segment: &str| {
            target.push('/');
            target.extend(utf8_percent_encode(segment, PLAIN));
        };
        if let Some(namespace) = namespace {
            push("namespaces");
            push(namespace);
        }
        push(&self.resource);
        name.into_iter().for_each(&mut push);
        if !self.subresource.is_empty() {
            push(&self.subresource);
        }
        for (index, (key, value)) in query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.extend(utf8_percent_encode(key, PLAIN));
            target.push('=');
            target.extend(utf8_percent_encode(value, PLAIN));
        }
        target
    }
}

/// The version that a body says.
fn version_of(body: Option<&Node>) -> Option<&str> {
    match &body?.get("apiVersion")?.value {
        Value::Text(text) => Some(text.rsplit_once('/').map_or(text, |(_, version)| version)),
        _ => None,
    }
}

type Pairs = Vec<(String, String)>;

/// Headers and body.
fn rest(fields: &Fields<'_>, problems: &mut Problems<'_>) -> Option<(Pairs, Vec<u8>)> {
    let headers = fields.get("headers").map(|node| pairs(node, "`headers`", problems));
    let body = match fields.get("body") {
        None => Some(Vec::new()),
        Some(Node {
            value: Value::Text(text),
            ..
        }) => Some(text.clone().into_bytes()),
        Some(node) => node.json(problems).map(|body| body.to_bytes().to_vec()),
    };
    Some((given(headers)?.unwrap_or_default(), body?))
}

/// With the type of the body, if nobody said one.
fn typed(mut headers: Pairs, body: &[u8], patch: Option<&str>) -> Pairs {
    let said = headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if !body.is_empty() && !said {
        headers.push((
            "content-type".to_owned(),
            patch.unwrap_or("application/json").to_owned(),
        ));
    }
    headers
}

fn query(node: &Node, problems: &mut Problems<'_>) -> Option<Pairs> {
    pairs(node, "`query`", problems)
}

/// A mapping from text to text, or to several.
fn pairs(node: &Node, what: &str, problems: &mut Problems<'_>) -> Option<Pairs> {
    let Value::Map(map) = &node.value else {
        problems.add(node.span, format!("{what} is a mapping, not {}", node.value.what()));
        return None;
    };
    let mut pairs = Vec::new();
    for (key, value) in map {
        let name = text(key, "a name", problems)?;
        let mut push = |node: &Node, problems: &mut Problems<'_>| {
            let text = scalar(node, problems)?;
            pairs.push((name.to_owned(), text));
            Some(())
        };
        match &value.value {
            Value::List(_) => {
                each(value, "a list of values", problems, push)?;
            }
            _ => push(value, problems)?,
        }
    }
    Some(pairs)
}

/// Text, or what reads like a number or a boolean and is meant as text.
fn scalar(node: &Node, problems: &mut Problems<'_>) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Whole(number) => Some(number.to_string()),
        other => {
            problems.add(node.span, format!("a value is text, not {}", other.what()));
            None
        }
    }
}
