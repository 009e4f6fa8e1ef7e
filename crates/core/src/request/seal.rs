//! The last step before the wire: pins injected, final bytes fixed, one digest over all of it.
//!
//! Nothing may change after it: a [`Sealed`] has no setter, and it opens only for a [`Permit`] that names its digest.
//!
//! Where masked values are restored, the sealed body has the mask's marker in their place, and so have digest, review and
//! record: a digest of a value could be guessed against. It names the final bytes all the same, since uid and version of
//! the object that the values come from are part of it. They are put in when the request is opened.

use std::fmt;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Serialize;

use super::attributes::{Attributes, Verb};
use super::canonical::Canonical;
use super::effects::Effect;
use crate::approval::Permit;
use crate::digest::{Digest, FieldHasher};
use crate::json::{Object, Value};
use crate::mask::is_encoded_marker;
use crate::policy::{Decided, Decision, Pin, live_value};
use crate::refusal::{Class, ObjectRef, Refusal};
use crate::subject::Subject;

/// Which cluster a request is for, so that an approval for one is void for another: a digest of the server's URL and of
/// the CA that vouches for it, or a name that the embedding program gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ClusterIdentity(String);

impl ClusterIdentity {
    /// An identity by a name that is unique among the clusters of the approvers.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// An identity by the server's URL and the CA that vouches for it, as the bytes of its certificates.
    #[must_use]
    pub fn of_server(url: &str, ca_certificates: &[Vec<u8>]) -> Self {
        let mut hasher = FieldHasher::new("countersign.dev/cluster/v1");
        hasher.field("url", url);
        for certificate in ca_certificates {
            hasher.field("ca", certificate);
        }
        Self(format!("{url} {}", hasher.finish().short()))
    }

    /// The identity as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An object as it was when the request was reviewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PinnedObject {
    /// API group, empty for core.
    pub group: String,
    /// Resource, plural.
    pub resource: String,
    /// Namespace, empty for cluster scope.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
    /// Version, if the request is pinned to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
}

/// A request exactly as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Method.
    pub method: Method,
    /// Canonical path and query.
    pub target: String,
    /// The one `Accept`.
    pub accept: String,
    /// `Content-Type`, with a body.
    pub content_type: Option<&'static str>,
    /// Body.
    pub body: Bytes,
}

/// A request whose final bytes are fixed, with the digest that an approval names.
#[derive(Debug)]
pub struct Sealed {
    decided: Decided,
    cluster: ClusterIdentity,
    targets: Vec<PinnedObject>,
    plan: Vec<Outgoing>,
    digest: Digest,
    restore: Option<Restore>,
}

/// Values that take the place of the mask's marker when the request is opened: nobody but the server gets them.
struct Restore {
    body: Value,
    /// By the key in `data`.
    values: Vec<(String, String)>,
}

/// Without the values.
impl fmt::Debug for Restore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.values.iter().map(|(key, _)| key.as_str()).collect();
        f.debug_struct("Restore").field("keys", &keys).finish_non_exhaustive()
    }
}

/// Which object has to be read before a decided request can be sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinRead {
    target: String,
}

impl PinRead {
    /// Path of the object.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }
}

/// The object that a held request has to be pinned to; none if it creates one, or if it is sent at once.
#[must_use]
pub fn pin_read(decided: &Decided) -> Option<PinRead> {
    let attributes = decided.request().attributes();
    decided.decision().pin()?;
    if !names_existing_object(attributes) {
        return None;
    }
    object_target(decided.request()).map(|target| PinRead { target })
}

/// Path of the object that a request names, without subresource and query; none if what it names is no object of the
/// API: below a proxy, a read would be a request to somebody else. A list that a field selector narrows down to one name
/// is a list.
#[must_use]
pub fn object_target(request: &Canonical) -> Option<String> {
    let attributes = request.attributes();
    if attributes.name.is_empty() || attributes.verb.is_of_collection() || request.effects().contains(Effect::Connect) {
        return None;
    }
    let path = request
        .target()
        .split_once('?')
        .map_or(request.target(), |(path, _)| path);
    match attributes.subresource.as_str() {
        "" => Some(path.to_owned()),
        subresource => Some(path.strip_suffix(subresource)?.strip_suffix('/')?.to_owned()),
    }
}

fn names_existing_object(attributes: &Attributes) -> bool {
    match attributes.verb {
        Verb::Update | Verb::Patch | Verb::Delete => true,
        Verb::Create => !attributes.name.is_empty() && !attributes.subresource.is_empty(),
        _ => false,
    }
}

/// Fixes the final bytes of a decided request.
///
/// `live` is the object that [`pin_read`] named; without one, the object that the policy engine read counts. Where the
/// engine found none, the request is pinned to that: if there is one by the time it arrives, the server answers 409 (422
/// to a JSON Patch) and changes nothing.
///
/// # Errors
/// 404 if the object to be pinned does not exist, 409 if the request names another uid or version than the live one, or
/// if the engine found no object and there is one now, 422 for what can't be pinned: a generated name, a whole collection.
pub fn seal(decided: Decided, cluster: ClusterIdentity, live: Option<&Value>) -> Result<Sealed, Refusal> {
    let request = decided.request();
    let pin = decided.decision().pin();
    if live.is_some() && decided.found_no_object() {
        return Err(appeared(request.attributes()));
    }
    let live = live.or_else(|| decided.live_object().map(|live| &**live));
    let mut body = request.json().cloned();
    let mut targets = Vec::new();
    if pin.is_some() {
        refuse_unpinnable(request)?;
    }
    let pinned = match (live, pin) {
        (Some(live), _) if names_existing_object(request.attributes()) => Some(pinned_object(request, live)?),
        (None, Some(_)) if pin_read(&decided).is_some() => return Err(not_found(request.attributes())),
        _ => None,
    };
    if let Some(object) = pinned {
        // A uid alone holds a deletion to the reviewed object. A change is reviewed against a state, so it is held to
        // the version as well: without it the server applies the change to whatever is current by then. So is a deletion
        // that nobody reviews, but is permitted for what the object is like.
        let to_version = pin != Some(Pin::Uid) || !is_deletion(request.attributes());
        let object = PinnedObject {
            resource_version: object.resource_version.filter(|_| to_version),
            ..object
        };
        let uid = Precondition::of_object("uid", &object.uid);
        let version = object.resource_version.as_deref();
        let version = version.map(|version| Precondition::of_object("resourceVersion", version));
        inject(request, &mut body, [uid].into_iter().chain(version))?;
        targets.push(object);
    } else if decided.found_no_object() && names_existing_object(request.attributes()) {
        inject(request, &mut body, [Precondition::OF_NO_OBJECT].into_iter())?;
    }
    let restore = restore(&decided, body.as_ref(), live, &targets)?;
    let outgoing = Outgoing {
        method: request.method().clone(),
        target: request.target().to_owned(),
        accept: request.accept().to_owned(),
        content_type: request.content_type().or(body.is_some().then_some("application/json")),
        body: body.as_ref().map(Value::to_bytes).unwrap_or_default(),
    };
    let plan = vec![outgoing];
    let digest = digest(&decided, &cluster, &targets, &plan);
    Ok(Sealed {
        decided,
        cluster,
        targets,
        plan,
        digest,
        restore,
    })
}

/// The live values that take the place of the mask's marker. The object is pinned to the version that they are from.
fn restore(
    decided: &Decided,
    body: Option<&Value>,
    live: Option<&Value>,
    targets: &[PinnedObject],
) -> Result<Option<Restore>, Refusal> {
    if decided.restored().is_empty() {
        return Ok(None);
    }
    let lost = || {
        Refusal::new(
            StatusCode::CONFLICT,
            Class::Conflict,
            "masked values can't be restored: the object is not the one that they were read from",
        )
        .with_remedy("read it again and repeat the change")
    };
    let is_pinned = matches!(targets, [target] if target.resource_version.is_some());
    let (Some(body), Some(live), true) = (body, live, is_pinned) else {
        return Err(lost());
    };
    let values = decided.restored().iter().map(|key| {
        let value = live_value(live, key).ok_or_else(lost)?;
        Ok((key.clone(), value.to_owned()))
    });
    Ok(Some(Restore {
        body: body.clone(),
        values: values.collect::<Result<_, Refusal>>()?,
    }))
}

impl Restore {
    /// The bytes to be sent.
    fn bytes(mut self) -> Option<Bytes> {
        let data = self.body.as_object_mut()?.get_mut("data")?.as_object_mut()?;
        for (key, value) in self.values {
            let place = data.get_mut(&key).filter(|place| is_encoded_marker(place))?;
            *place = Value::String(value);
        }
        Some(self.body.to_bytes())
    }
}

impl Sealed {
    /// Who asks.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        self.decided.subject()
    }

    /// The request as it was judged, before the pins.
    #[must_use]
    pub fn request(&self) -> &Canonical {
        self.decided.request()
    }

    /// The decision that it is sent under.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        self.decided.decision()
    }

    /// The cluster that it is for.
    #[must_use]
    pub fn cluster(&self) -> &ClusterIdentity {
        &self.cluster
    }

    /// The objects that it is pinned to.
    #[must_use]
    pub fn targets(&self) -> &[PinnedObject] {
        &self.targets
    }

    /// What will be sent, in this order; with the mask's marker where a value is [restored](Self::restored).
    #[must_use]
    pub fn plan(&self) -> &[Outgoing] {
        &self.plan
    }

    /// Keys of a Secret's `data` whose live values are sent, where the body has the mask's marker.
    #[must_use]
    pub fn restored(&self) -> &[String] {
        self.decided.restored()
    }

    /// SHA-256 over cluster, subject, plan, pins and policy revision.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Takes the request apart for sending; uses the permit up.
    ///
    /// # Errors
    /// 409 if the permit is for something else. Nothing is sent then.
    pub fn open(self, permit: Permit) -> Result<(Decided, Vec<Outgoing>), Refusal> {
        if permit.digest() != self.digest {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                Class::Approval,
                "the permit is for another request than the one to be sent",
            ));
        }
        let mut plan = self.plan;
        if let Some(restore) = self.restore {
            let (Some(bytes), [outgoing]) = (restore.bytes(), plan.as_mut_slice()) else {
                return Err(Refusal::unavailable("a masked value could not be put back"));
            };
            outgoing.body = bytes;
        }
        Ok((self.decided, plan))
    }
}

fn digest(decided: &Decided, cluster: &ClusterIdentity, targets: &[PinnedObject], plan: &[Outgoing]) -> Digest {
    let mut hasher = FieldHasher::new("countersign.dev/sealed/v1");
    let subject = decided.subject();
    hasher.field("cluster", cluster.as_str());
    hasher.field("user", &subject.user);
    for group in &subject.groups {
        hasher.field("group", group);
    }
    hasher.optional("onBehalfOf", subject.on_behalf_of.as_ref());
    hasher.optional("session", subject.session.as_ref());
    for outgoing in plan {
        hasher.field("method", outgoing.method.as_str());
        hasher.field("target", &outgoing.target);
        hasher.field("accept", &outgoing.accept);
        hasher.optional("contentType", outgoing.content_type);
        hasher.field("body", &outgoing.body);
    }
    for target in targets {
        hasher.field("group", &target.group);
        hasher.field("resource", &target.resource);
        hasher.field("namespace", &target.namespace);
        hasher.field("name", &target.name);
        hasher.field("uid", &target.uid);
        hasher.optional("resourceVersion", target.resource_version.as_ref());
    }
    for key in decided.restored() {
        hasher.field("restored", key);
    }
    hasher.field("policy", decided.decision().revision().as_bytes());
    hasher.finish()
}

fn is_deletion(attributes: &Attributes) -> bool {
    attributes.verb == Verb::Delete || attributes.subresource == "eviction"
}

fn refuse_unpinnable(request: &Canonical) -> Result<(), Refusal> {
    let refuse = |message: &str, remedy: &str| {
        Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, Class::Approval, message).with_remedy(remedy))
    };
    let attributes = request.attributes();
    if attributes.verb == Verb::DeleteCollection {
        return refuse(
            "deleting a collection can't be approved: new objects could match after the review",
            "list the objects and delete each by name",
        );
    }
    if request.effects().contains(Effect::Connect) {
        return refuse(
            "a connection can't be approved yet: it can't be pinned to the object that was reviewed",
            "use the Kubernetes API instead of connecting to the container",
        );
    }
    if request.generated_name_prefix().is_some() {
        return refuse(
            "an object with a generated name can't be approved: a repeat would create another one",
            "set metadata.name instead of metadata.generateName",
        );
    }
    Ok(())
}

fn not_found(attributes: &Attributes) -> Refusal {
    let message = format!(
        "there is no {} {:?} to approve a change of",
        attributes.resource, attributes.name
    );
    Refusal::new(StatusCode::NOT_FOUND, Class::Conflict, message).with_object(object_ref(attributes))
}

fn appeared(attributes: &Attributes) -> Refusal {
    let message = format!(
        "the request was judged where there was no {} {:?}, and now there is one",
        attributes.resource, attributes.name
    );
    Refusal::new(StatusCode::CONFLICT, Class::Conflict, message)
        .with_object(object_ref(attributes))
        .with_remedy("read the object and repeat the request")
}

fn object_ref(attributes: &Attributes) -> ObjectRef {
    ObjectRef {
        group: attributes.api_group.to_string(),
        resource: attributes.resource.to_string(),
        name: attributes.name.to_string(),
    }
}

fn pinned_object(request: &Canonical, live: &Value) -> Result<PinnedObject, Refusal> {
    let attributes = request.attributes();
    let text = |key: &str| {
        live.at(&["metadata", key])
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let (Some(uid), Some(version)) = (text("uid"), text("resourceVersion")) else {
        return Err(Refusal::upstream(
            "the object to be pinned was read without a uid or a resourceVersion",
        ));
    };
    if text("name") != Some(attributes.name.as_str()) {
        return Err(Refusal::upstream("the object to be pinned was read under another name"));
    }
    let cluster_scoped = request.kind().is_some_and(|kind| !kind.namespaced);
    Ok(PinnedObject {
        group: attributes.api_group.to_string(),
        resource: attributes.resource.to_string(),
        namespace: if cluster_scoped {
            String::new()
        } else {
            attributes.namespace.to_string()
        },
        name: attributes.name.to_string(),
        uid: uid.to_owned(),
        resource_version: Some(version.to_owned()),
    })
}

/// What the server checks about an object before it changes it.
struct Precondition<'p> {
    key: &'static str,
    value: &'p str,
    /// Whether it stands above what the request itself asks for.
    overrides: bool,
}

impl<'p> Precondition<'p> {
    /// No object has this version, as the first revision of a store holds none. Unlike a uid, it does not keep an apply,
    /// or a PUT, from creating an object: only from changing one. The same is true of a version that the request names;
    /// but an object could appear that has it.
    const OF_NO_OBJECT: Self = Self {
        key: "resourceVersion",
        value: "1",
        overrides: true,
    };

    fn of_object(key: &'static str, value: &'p str) -> Self {
        Self {
            key,
            value,
            overrides: false,
        }
    }
}

/// Puts uid and version where the server checks them; the table of `kubernetes.md` section 16.2.
fn inject<'p>(
    request: &Canonical,
    body: &mut Option<Value>,
    pins: impl Iterator<Item = Precondition<'p>>,
) -> Result<(), Refusal> {
    let attributes = request.attributes();
    if attributes.verb == Verb::Delete {
        let options = body.get_or_insert_with(|| delete_options().into());
        return pin_members(options, "preconditions", pins);
    }
    let Some(body) = body.as_mut() else {
        return Err(Refusal::malformed("a change without a body can't be pinned"));
    };
    if attributes.subresource == "eviction" {
        let object = body.as_object_mut().ok_or_else(not_an_object)?;
        if object.get("deleteOptions").is_none() {
            object.insert("deleteOptions", delete_options());
        }
        return match object.get_mut("deleteOptions") {
            Some(options) => pin_members(options, "preconditions", pins),
            None => Err(not_an_object()),
        };
    }
    if request.content_type() == Some("application/json-patch+json") {
        return prepend_tests(body, pins);
    }
    pin_members(body, "metadata", pins)
}

fn delete_options() -> Object {
    let mut options = Object::new();
    options.insert("kind", "DeleteOptions");
    options.insert("apiVersion", "v1");
    options
}

fn pin_members<'p>(
    value: &mut Value,
    within: &str,
    mut pins: impl Iterator<Item = Precondition<'p>>,
) -> Result<(), Refusal> {
    let object = value
        .as_object_mut()
        .and_then(|object| object.object_at(within))
        .ok_or_else(not_an_object)?;
    pins.try_for_each(|pin| pin_member(object, &pin))
}

fn pin_member(object: &mut Object, pin: &Precondition<'_>) -> Result<(), Refusal> {
    let Precondition { key, value, overrides } = *pin;
    match object.get(key) {
        _ if overrides => {}
        None | Some(Value::Null) => {}
        Some(Value::String(given)) if given.is_empty() || given == value => {}
        Some(_) => {
            let message = format!("the request names another {key} than the object has now");
            return Err(Refusal::new(StatusCode::CONFLICT, Class::Conflict, message)
                .with_remedy("read the object again and repeat the request"));
        }
    }
    object.insert(key, value);
    Ok(())
}

fn prepend_tests<'p>(body: &mut Value, pins: impl Iterator<Item = Precondition<'p>>) -> Result<(), Refusal> {
    let Value::Array(operations) = body else {
        return Err(Refusal::malformed("a JSON Patch has to be an array of operations"));
    };
    let test = |Precondition { key, value, .. }: Precondition<'_>| {
        let mut operation = Object::new();
        operation.insert("op", "test");
        operation.insert("path", format!("/metadata/{key}"));
        operation.insert("value", value);
        Value::Object(operation)
    };
    operations.splice(0..0, pins.map(test));
    Ok(())
}

fn not_an_object() -> Refusal {
    Refusal::malformed("the body has to be a JSON object so that it can be pinned")
}
