//! What a condition is evaluated on: the request, what it does, and what was fetched for it.

use jiff::Timestamp;

use super::fault::Fault;
use super::names::Root;
use super::shell::names_a_shell;
use super::value::{List, Value};
use crate::json;
use crate::request::{Attributes, Canonical, Effects, Live, Verb};
use crate::subject::Subject;

/// What conditions are evaluated on. Nothing is converted before it is read.
#[derive(Debug, Clone)]
pub(in crate::policy) struct Inputs<'v> {
    /// Who asks.
    pub(in crate::policy) subject: &'v Subject,
    /// What is asked.
    pub(in crate::policy) request: &'v Canonical,
    /// Whether it is a dry run that is one.
    pub(in crate::policy) dry_run: bool,
    /// What it does, by all that is known.
    pub(in crate::policy) effects: Effects,
    /// What it is to an admission policy; none for a read.
    pub(in crate::policy) operation: Option<Operation>,
    /// The object as it will be.
    pub(in crate::policy) object: Known<'v>,
    /// The object as it is.
    pub(in crate::policy) old_object: Known<'v>,
    /// The namespace of the object.
    pub(in crate::policy) namespace_object: Known<'v>,
    /// The parameter object.
    pub(in crate::policy) params: Known<'v>,
    /// The time of the decision.
    pub(in crate::policy) now: Timestamp,
}

/// An object that was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Known<'v> {
    /// Here it is.
    Object(&'v json::Value),
    /// There is none.
    Null,
    /// Nobody looked, or nobody could: reading it is an error.
    Unknown,
}

/// What a request is to an admission policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::policy) enum Operation {
    Create,
    Update,
    Delete,
    Connect,
}

impl Operation {
    /// The name in admission policies.
    pub(in crate::policy) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }

    /// What a request is. A PUT or an apply may turn out to be a create, which only the live object tells.
    pub(in crate::policy) fn of(request: &Canonical, live: Option<&Live>) -> Option<Self> {
        let attributes = request.attributes();
        if !attributes.is_resource_request {
            return None;
        }
        if is_connect(attributes) {
            return Some(Self::Connect);
        }
        match attributes.verb {
            Verb::Create => Some(Self::Create),
            Verb::Update | Verb::Patch => Some(match live {
                Some(Live::Absent) if may_create(request) => Self::Create,
                _ => Self::Update,
            }),
            Verb::Delete | Verb::DeleteCollection => Some(Self::Delete),
            Verb::Get | Verb::List | Verb::Watch | Verb::Head => None,
        }
    }
}

fn may_create(request: &Canonical) -> bool {
    request.attributes().verb == Verb::Update
        || request
            .content_type()
            .is_some_and(|kind| kind.starts_with("application/apply-patch"))
}

/// Subresources that are connected to, by whatever method.
fn is_connect(attributes: &Attributes) -> bool {
    attributes.api_group.is_empty()
        && matches!(
            (attributes.resource.as_str(), attributes.subresource.as_str()),
            ("pods", "exec" | "attach" | "portforward" | "proxy") | ("services" | "nodes", "proxy")
        )
}

impl<'v> Inputs<'v> {
    /// Inputs for a request.
    ///
    /// `live` and `namespace` are what reading them gave, `None` if nobody did. `object` is the object as the request
    /// leaves it; for a create or an update it is the body.
    pub(in crate::policy) fn new(
        subject: &'v Subject,
        request: &'v Canonical,
        live: Option<&'v Live>,
        namespace: Option<&'v Live>,
        object: Option<&'v json::Value>,
        now: Timestamp,
    ) -> Self {
        let operation = Operation::of(request, live);
        let known = |live: Option<&'v Live>| match live {
            Some(Live::Object(object)) => Known::Object(object),
            Some(Live::Absent) => Known::Null,
            Some(Live::Unreadable) | None => Known::Unknown,
        };
        let (object, old_object) = match operation {
            Some(Operation::Create) => (object.map_or(Known::Unknown, Known::Object), Known::Null),
            Some(Operation::Update) => (object.map_or(Known::Unknown, Known::Object), known(live)),
            Some(Operation::Delete) => (Known::Null, known(live)),
            Some(Operation::Connect) | None => (Known::Null, Known::Null),
        };
        let in_namespace =
            !request.attributes().namespace.is_empty() && request.kind().is_some_and(|kind| kind.namespaced);
        Self {
            subject,
            request,
            dry_run: request.is_dry_run(),
            effects: request.effects(),
            operation,
            object,
            old_object,
            namespace_object: if in_namespace { known(namespace) } else { Known::Null },
            params: Known::Null,
            now,
        }
    }

    /// With these effects instead of those that the gate saw.
    #[must_use]
    pub(in crate::policy) fn with_effects(mut self, effects: Effects) -> Self {
        self.effects = effects;
        self
    }

    /// With this said of dry runs.
    #[must_use]
    pub(in crate::policy) fn with_dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// With this parameter object.
    #[must_use]
    pub(in crate::policy) fn with_params(mut self, params: Known<'v>) -> Self {
        self.params = params;
        self
    }

    /// What a name stands for.
    pub(super) fn root(&self, root: Root) -> Result<Value<'v>, Fault> {
        let known = match root {
            Root::Object if self.operation == Some(Operation::Connect) => return Ok(self.connect_options()),
            Root::Object => self.object,
            Root::OldObject => self.old_object,
            Root::NamespaceObject => self.namespace_object,
            Root::Params => self.params,
            Root::Request => return Ok(self.request_value()),
            Root::Subject => return Ok(self.subject_value()),
            Root::Effects => {
                let names = self.effects.iter().map(|effect| Value::text(effect.as_str()));
                return Ok(Value::list(names.collect()));
            }
            Root::Exec => return Ok(self.exec_value()),
            Root::Now => return Ok(Value::Timestamp(self.now)),
        };
        match known {
            Known::Object(object) => Ok(Value::from_json(object)),
            Known::Null => Ok(Value::Null),
            Known::Unknown => Err(Fault::Failed(format!("`{}` is not known to the guard", root.as_str()))),
        }
    }

    fn subject_value(&self) -> Value<'v> {
        let text = |text: &'v Option<String>| text.as_deref().map_or(Value::Null, Value::text);
        Value::fields(vec![
            ("user", Value::text(&self.subject.user)),
            ("groups", Value::List(List::Texts(&self.subject.groups))),
            ("onBehalfOf", text(&self.subject.on_behalf_of)),
            ("session", text(&self.subject.session)),
        ])
    }

    /// As upstream's `AdmissionRequest`: what is empty there is not there.
    fn request_value(&self) -> Value<'v> {
        let attributes = self.request.attributes();
        let [group, version, kind] = self.group_version_kind();
        let kind = || {
            Value::fields(vec![
                ("group", Value::text(group)),
                ("version", Value::text(version)),
                ("kind", Value::text(kind)),
            ])
        };
        let resource = || {
            Value::fields(vec![
                ("group", Value::text(&attributes.api_group)),
                ("version", Value::text(&attributes.api_version)),
                ("resource", Value::text(&attributes.resource)),
            ])
        };
        let operation = self.operation.map_or("", Operation::as_str);
        let mut fields = vec![
            ("kind", kind()),
            ("resource", resource()),
            ("requestKind", kind()),
            ("requestResource", resource()),
            ("operation", Value::text(operation)),
            ("userInfo", self.user_info()),
            ("dryRun", Value::Bool(self.dry_run)),
            ("options", self.options()),
        ];
        let in_namespace = self.request.kind().is_none_or(|kind| kind.namespaced);
        let optional = [
            ("subResource", attributes.subresource.as_str()),
            ("requestSubResource", attributes.subresource.as_str()),
            ("name", self.request.object_name().unwrap_or_default()),
            // A Namespace object is in the namespace of its name, to upstream too.
            (
                "namespace",
                if in_namespace || attributes.resource == "namespaces" {
                    &attributes.namespace
                } else {
                    ""
                },
            ),
        ];
        for (name, value) in optional.into_iter().filter(|(_, value)| !value.is_empty()) {
            fields.push((name, Value::text(value)));
        }
        Value::fields(fields)
    }

    fn user_info(&self) -> Value<'v> {
        let mut fields = vec![("username", Value::text(&self.subject.user))];
        if !self.subject.groups.is_empty() {
            fields.push(("groups", Value::List(List::Texts(&self.subject.groups))));
        }
        Value::fields(fields)
    }

    fn group_version_kind(&self) -> [&'v str; 3] {
        let attributes = self.request.attributes();
        let is_patch = attributes.verb == Verb::Patch;
        let body = self
            .request
            .json()
            .filter(|_| !is_patch && self.operation != Some(Operation::Delete));
        let field = |name: &str| body?.get(name)?.as_str().filter(|text| !text.is_empty());
        match (attributes.resource.as_str(), attributes.subresource.as_str()) {
            (_, "scale") => ["autoscaling", "v1", "Scale"],
            ("pods", "eviction") => ["policy", "v1", "Eviction"],
            ("pods", "binding") => ["", "v1", "Binding"],
            ("pods", "exec") => ["", "v1", "PodExecOptions"],
            ("pods", "attach") => ["", "v1", "PodAttachOptions"],
            ("pods", "portforward") => ["", "v1", "PodPortForwardOptions"],
            ("pods", "proxy") => ["", "v1", "PodProxyOptions"],
            ("services", "proxy") => ["", "v1", "ServiceProxyOptions"],
            ("nodes", "proxy") => ["", "v1", "NodeProxyOptions"],
            ("serviceaccounts", "token") => ["authentication.k8s.io", "v1", "TokenRequest"],
            _ => {
                let kind = self.request.kind().map(|kind| kind.kind.as_str());
                let kind = kind.filter(|kind| !kind.is_empty()).or_else(|| field("kind"));
                [&attributes.api_group, &attributes.api_version, kind.unwrap_or_default()]
            }
        }
    }

    fn query(&self, key: &str) -> Option<&'v str> {
        self.request
            .query()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    fn options(&self) -> Value<'v> {
        let kind = match self.operation {
            Some(Operation::Create) => "CreateOptions",
            Some(Operation::Update) if self.request.attributes().verb == Verb::Patch => "PatchOptions",
            Some(Operation::Update) => "UpdateOptions",
            Some(Operation::Delete) => "DeleteOptions",
            Some(Operation::Connect) | None => return Value::Null,
        };
        let mut fields = vec![
            ("kind", Value::text(kind)),
            ("apiVersion", Value::text("meta.k8s.io/v1")),
        ];
        if self.operation == Some(Operation::Delete) {
            let body = self.request.json().and_then(json::Value::as_object);
            let given = body.into_iter().flat_map(json::Object::iter);
            let given = given.filter(|(key, _)| !matches!(*key, "kind" | "apiVersion"));
            fields.extend(given.map(|(key, value)| (key, Value::from_json(value))));
            return Value::fields(fields);
        }
        for key in ["fieldManager", "fieldValidation"] {
            fields.extend(self.query(key).map(|value| (key, Value::text(value))));
        }
        if self.request.is_dry_run() {
            fields.push(("dryRun", Value::list(vec![Value::text("All")])));
        }
        if self.request.query_flag("force") {
            fields.push(("force", Value::Bool(true)));
        }
        Value::fields(fields)
    }

    /// What upstream shows as `object` of a CONNECT: the options of the connection.
    fn connect_options(&self) -> Value<'v> {
        let [_, _, kind] = self.group_version_kind();
        let mut fields = vec![("kind", Value::text(kind)), ("apiVersion", Value::text("v1"))];
        match self.request.attributes().subresource.as_str() {
            "exec" | "attach" => {
                for key in ["stdin", "stdout", "stderr", "tty"] {
                    if self.stream(key) {
                        fields.push((key, Value::Bool(true)));
                    }
                }
                fields.extend(self.query("container").map(|name| ("container", Value::text(name))));
                let command = self.request.exec_command();
                if !command.is_empty() {
                    fields.push(("command", Value::list(command.into_iter().map(Value::text).collect())));
                }
            }
            "portforward" => {
                let ports = self.request.query().filter(|(key, _)| *key == "ports");
                let ports = ports.filter_map(|(_, port)| port.parse().ok().map(Value::Int));
                fields.push(("ports", Value::list(ports.collect())));
            }
            _ => fields.extend(self.query("path").map(|path| ("path", Value::text(path)))),
        }
        Value::fields(fields)
    }

    /// Whether a stream of an exec or attach is on. Output is unless it is switched off.
    fn stream(&self, key: &str) -> bool {
        match self.query(key) {
            Some(_) => self.request.query_flag(key),
            None => matches!(key, "stdout" | "stderr"),
        }
    }

    /// What runs, and what is connected to it. Nothing on anything else than an exec or attach.
    fn exec_value(&self) -> Value<'v> {
        let attributes = self.request.attributes();
        let is_stream = attributes.resource == "pods" && matches!(attributes.subresource.as_str(), "exec" | "attach");
        let command = self.request.exec_command();
        let shell = names_a_shell(&command);
        let mut fields = vec![
            ("argv", Value::list(command.into_iter().map(Value::text).collect())),
            (
                "container",
                Value::text(self.query("container").filter(|_| is_stream).unwrap_or("")),
            ),
            ("shell", Value::Bool(shell)),
        ];
        for key in ["stdin", "stdout", "stderr", "tty"] {
            fields.push((key, Value::Bool(is_stream && self.stream(key))));
        }
        Value::fields(fields)
    }
}
