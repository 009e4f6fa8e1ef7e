//! Whether a rule or a scope is about a request: narrow where it permits, wide where it restricts.

use super::glob::Glob;
use super::resource::{Resource, ResourceSpec};
use crate::json::{Object, Value};
use crate::request::{Canonical, Effect, Effects, Verb};

/// A set of verbs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Verbs(u16);

impl Verbs {
    /// The verbs that a rule can list.
    pub(super) const LISTED: [Verb; 8] = [
        Verb::Get,
        Verb::List,
        Verb::Watch,
        Verb::Create,
        Verb::Update,
        Verb::Patch,
        Verb::Delete,
        Verb::DeleteCollection,
    ];

    pub(super) const ALL: Self = Self((1 << Self::LISTED.len()) - 1);

    pub(super) fn with(self, verb: Verb) -> Self {
        let bit = match verb {
            // A HEAD is a GET whose answer has no body.
            Verb::Get | Verb::Head => 0,
            Verb::List => 1,
            Verb::Watch => 2,
            Verb::Create => 3,
            Verb::Update => 4,
            Verb::Patch => 5,
            Verb::Delete => 6,
            Verb::DeleteCollection => 7,
        };
        Self(self.0 | 1 << bit)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Verb> {
        Self::LISTED
            .into_iter()
            .filter(move |verb| self.intersects(Self::default().with(*verb)))
    }

    fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub(super) fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl FromIterator<Verb> for Verbs {
    fn from_iter<I: IntoIterator<Item = Verb>>(verbs: I) -> Self {
        verbs.into_iter().fold(Self::default(), Self::with)
    }
}

/// Where a request looks or acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'r> {
    /// Nowhere: the request is not about a resource.
    Nowhere,
    /// Objects outside namespaces.
    Cluster,
    /// One namespace, or the Namespace object itself.
    Namespace(&'r str),
    /// Objects of all namespaces.
    AllNamespaces,
    /// Namespace objects of which none is named.
    NamespaceObjects,
    /// The catalog does not know the resource: nothing permits it, everything restricts it.
    Unknown,
}

/// What matching needs of a request, taken out of it once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'r> {
    pub(super) effects: Effects,
    pub(super) verbs: Verbs,
    /// Verbs that it has besides where a rule restricts.
    also: Verbs,
    pub(super) resource: Option<Resource<'r>>,
    pub(super) place: Place<'r>,
    /// Name of the object; none if the request has none.
    pub(super) name: Option<&'r str>,
    /// The name as it stands in the URL of a proxy request, with scheme and port.
    proxied: Option<&'r str>,
    pub(super) is_upgrade: bool,
}

impl<'r> Asked<'r> {
    #[inline]
    pub(super) fn new(request: &'r Canonical) -> Self {
        let attributes = request.attributes();
        let (subresource, raw) = (attributes.subresource.as_str(), attributes.name.as_str());
        let is_upgrade = request.upgrade().is_some();
        let resource = attributes.is_resource_request.then(|| Resource {
            group: &attributes.api_group,
            resource: &attributes.resource,
            subresource,
        });
        let raw = Some(raw).filter(|name| !name.is_empty());
        let proxied = raw.filter(|_| subresource == "proxy");
        let name = match proxied {
            Some(proxied) => Some(proxied_name(proxied)),
            None => raw,
        };
        let mut verbs = Verbs::default().with(attributes.verb);
        let mut also = Verbs::default();
        // An eviction deletes, whatever its verb.
        if subresource == "eviction" {
            (verbs, also) = (Verbs::default().with(Verb::Delete), verbs);
        }
        let applies = request
            .content_type()
            .is_some_and(|kind| kind.starts_with("application/apply-patch"));
        // An apply creates what does not exist, a PUT may, and an upgrade is a `get` by its method alone.
        if is_upgrade || (subresource.is_empty() && (applies || attributes.verb == Verb::Update)) {
            verbs = verbs.with(Verb::Create);
        }
        Self {
            effects: request.effects(),
            verbs,
            also,
            resource,
            place: place(request, resource.as_ref(), name),
            name,
            proxied,
            is_upgrade,
        }
    }

    /// Every verb that it has, where a rule permits or restricts.
    pub(super) fn all_verbs(&self) -> Verbs {
        Verbs(self.verbs.0 | self.also.0)
    }

    /// The name that a rule would have to list, if there is one and no other would do.
    pub(super) fn only_name(&self) -> Option<&'r str> {
        self.name.filter(|_| self.proxied.is_none())
    }

    /// The same request with one effect more.
    pub(super) fn with_effect(mut self, effect: Effect) -> Self {
        self.effects = self.effects.with(effect);
        self
    }

    /// The same request for a rule that masks: the answer to a change shows the object as a read does.
    pub(super) fn as_read(&self) -> Self {
        let mut read = *self;
        if read
            .effects
            .intersects(Effects::only(Effect::Write).with(Effect::Destructive))
        {
            read.also = read.also.with(Verb::Get);
            read.effects = read.effects.with(Effect::Read);
        }
        read
    }

    /// What others may do tells an agent whom to become.
    fn reviews_others(&self) -> bool {
        self.effects.contains(Effect::Review)
            && self
                .resource
                .is_some_and(|resource| !resource.resource.starts_with("selfsubject"))
    }

    /// Learning what the API offers happens nowhere in particular.
    fn is_discovery(&self) -> bool {
        self.effects == Effects::only(Effect::Discovery)
    }
}

fn place<'r>(request: &'r Canonical, resource: Option<&Resource<'r>>, name: Option<&'r str>) -> Place<'r> {
    let Some(resource) = resource else {
        return Place::Nowhere;
    };
    let Some(kind) = request.kind() else {
        return Place::Unknown;
    };
    if resource.group.is_empty() && resource.resource == "namespaces" {
        return name.map_or(Place::NamespaceObjects, Place::Namespace);
    }
    match (kind.namespaced, request.attributes().namespace.as_str()) {
        (true, "") => Place::AllNamespaces,
        (true, namespace) => Place::Namespace(namespace),
        (false, "") => Place::Cluster,
        // The gate refuses this; nothing should hang on that alone.
        (false, _) => Place::Unknown,
    }
}

/// `name` out of `name`, `name:port` and `scheme:name:port`.
fn proxied_name(segment: &str) -> &str {
    let mut parts = segment.split(':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(name), Some(_)) => name,
        (Some(name), _, _) => name,
        (None, _, _) => segment,
    }
}

/// What `match` of a rule says; what it leaves out matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) effects: Option<Effects>,
    pub(super) verbs: Option<Verbs>,
    pub(super) resources: Option<Vec<ResourceSpec>>,
    pub(super) namespaces: Option<Vec<Glob>>,
    pub(super) names: Option<Vec<Glob>>,
    pub(super) labels: Option<Vec<(String, Glob)>>,
}

/// The labels of an object before and after a request; what is not known is neither permitted nor unrestricted.
pub(super) struct Labels<'r> {
    known: bool,
    states: [Option<&'r Object>; 2],
}

impl<'r> Labels<'r> {
    pub(super) const UNKNOWN: Self = Self {
        known: false,
        states: [None, None],
    };

    /// The labels of one object, or of the same object before and after.
    pub(super) fn of(object: Option<&'r Value>, after: Option<&'r Value>) -> Self {
        let labels = |object: &'r Value| object.at(&["metadata", "labels"]).and_then(Value::as_object);
        Self {
            known: object.is_some(),
            states: [object.and_then(labels), after.or(object).and_then(labels)],
        }
    }

    /// Whether the object has all of these, before and after.
    pub(super) fn permitted_by(&self, listed: &[(String, Glob)]) -> bool {
        self.known && self.states.iter().all(|state| has_labels(*state, listed))
    }

    /// Whether the object has all of these, before or after, or may have them.
    pub(super) fn restricted_by(&self, listed: &[(String, Glob)]) -> bool {
        !self.known || self.states.iter().any(|state| has_labels(*state, listed))
    }
}

fn has_labels(labels: Option<&Object>, listed: &[(String, Glob)]) -> bool {
    listed.iter().all(|(key, glob)| {
        let value = labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        value.is_some_and(|value| glob.matches(value))
    })
}

/// Why a rule does not permit a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missed {
    /// Effects of the request that the rule does not list.
    pub(super) effects: Effects,
    /// Whether something else does not fit.
    pub(super) otherwise: bool,
}

impl Missed {
    pub(super) fn nothing(self) -> bool {
        self.effects.is_empty() && !self.otherwise
    }
}

impl Match {
    /// Effects that a rule permits only by listing them.
    pub(super) const LISTED_ONLY: Effects = Effects::only(Effect::Connect)
        .with(Effect::Credential)
        .with(Effect::Escalation)
        .with(Effect::Guard);

    /// The effects that the rule may permit.
    pub(super) fn permitted_effects(&self) -> Effects {
        self.effects.unwrap_or(Effects::ALL.without(Self::LISTED_ONLY))
    }

    /// What keeps this rule from permitting the request: everything about the request has to be listed.
    #[inline]
    pub(super) fn missed(&self, asked: &Asked<'_>) -> Missed {
        let permitted = self.permitted_effects();
        let fits = !asked.effects.is_empty()
            && self.verbs.is_none_or(|verbs| verbs_permit(verbs, asked))
            && resources_permit(self.resources.as_deref(), asked)
            && !self.keeps_reviews(asked)
            && self
                .namespaces
                .as_deref()
                .is_none_or(|globs| namespaces_permit(globs, asked.place))
            && self.names.as_deref().is_none_or(|globs| names_permit(globs, asked));
        Missed {
            effects: asked.effects.without(permitted),
            otherwise: !fits,
        }
    }

    /// Whether the request reviews what others may do, and the rule does not name such reviews.
    pub(super) fn keeps_reviews(&self, asked: &Asked<'_>) -> bool {
        asked.reviews_others() && !names_resource(self.resources.as_deref(), asked)
    }

    /// Whether this rule restricts the request: something about it is listed, or can't be told.
    #[inline]
    pub(super) fn restricts(&self, asked: &Asked<'_>) -> bool {
        self.effects.is_none_or(|effects| asked.effects.intersects(effects))
            && self.verbs.is_none_or(|verbs| verbs_restrict(verbs, asked))
            && self
                .resources
                .as_deref()
                .is_none_or(|specs| resources_restrict(specs, asked))
            && self
                .namespaces
                .as_deref()
                .is_none_or(|globs| namespaces_restrict(globs, asked.place))
            && self.names.as_deref().is_none_or(|globs| names_restrict(globs, asked))
    }
}

/// One entry of `scopes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) namespaces: Vec<Glob>,
    pub(super) cluster_scoped: bool,
    pub(super) effects: Option<Effects>,
    pub(super) resources: Option<Vec<ResourceSpec>>,
}

impl Scope {
    pub(super) fn lists(&self, effects: Effects) -> bool {
        self.effects.is_none_or(|listed| effects.is_subset(listed))
    }

    fn contains(&self, asked: &Asked<'_>) -> bool {
        self.reaches(asked.place) && self.lists(asked.effects) && resources_permit(self.resources.as_deref(), asked)
    }

    /// Whether what is at the place is inside.
    pub(super) fn reaches(&self, place: Place<'_>) -> bool {
        match place {
            Place::Cluster => self.cluster_scoped,
            Place::NamespaceObjects => self.cluster_scoped || namespaces_permit(&self.namespaces, place),
            Place::Namespace(_) | Place::AllNamespaces => namespaces_permit(&self.namespaces, place),
            Place::Nowhere | Place::Unknown => false,
        }
    }
}

/// Whether a request falls inside one of the scopes.
#[inline]
pub(super) fn in_scope(scopes: &[Scope], asked: &Asked<'_>) -> bool {
    asked.is_discovery() || scopes.iter().any(|scope| scope.contains(asked))
}

pub(super) fn verbs_permit(listed: Verbs, asked: &Asked<'_>) -> bool {
    asked.verbs.is_subset(listed)
}

pub(super) fn verbs_restrict(listed: Verbs, asked: &Asked<'_>) -> bool {
    asked.verbs.intersects(listed) || asked.also.intersects(listed)
}

pub(super) fn resources_permit(specs: Option<&[ResourceSpec]>, asked: &Asked<'_>) -> bool {
    match (specs, &asked.resource) {
        (None, _) => true,
        (Some(specs), Some(resource)) => specs.iter().any(|spec| spec.matches_narrow(resource)),
        (Some(_), None) => false,
    }
}

/// Whether the resource is listed by its own name, not by a star or by saying nothing.
fn names_resource(specs: Option<&[ResourceSpec]>, asked: &Asked<'_>) -> bool {
    let named = |spec: &&ResourceSpec| matches!(spec, ResourceSpec::Some { resource: Some(_), .. });
    let mut specs = specs.into_iter().flatten().filter(named);
    asked
        .resource
        .is_some_and(|resource| specs.any(|spec| spec.matches_narrow(&resource)))
}

pub(super) fn resources_restrict(specs: &[ResourceSpec], asked: &Asked<'_>) -> bool {
    let resource = asked.resource.as_ref();
    resource.is_some_and(|resource| specs.iter().any(|spec| spec.matches_wide(resource)))
}

pub(super) fn namespaces_permit(globs: &[Glob], place: Place<'_>) -> bool {
    match place {
        Place::Namespace(namespace) => globs.iter().any(|glob| glob.matches(namespace)),
        Place::AllNamespaces | Place::NamespaceObjects => globs.iter().any(Glob::matches_everything),
        Place::Nowhere | Place::Cluster | Place::Unknown => false,
    }
}

pub(super) fn namespaces_restrict(globs: &[Glob], place: Place<'_>) -> bool {
    match place {
        Place::Namespace(namespace) => globs.iter().any(|glob| glob.matches(namespace)),
        Place::AllNamespaces | Place::NamespaceObjects | Place::Unknown => true,
        Place::Nowhere | Place::Cluster => false,
    }
}

pub(super) fn names_permit(globs: &[Glob], asked: &Asked<'_>) -> bool {
    asked
        .name
        .is_some_and(|name| globs.iter().any(|glob| glob.matches(name)))
}

pub(super) fn names_restrict(globs: &[Glob], asked: &Asked<'_>) -> bool {
    let any = |name: &str| globs.iter().any(|glob| glob.matches(name));
    asked.resource.is_some()
        && asked
            .name
            .is_none_or(|name| any(name) || asked.proxied.is_some_and(any))
}
