//! Which resources exist, and what the guard has to know of each: the URL alone can't tell.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ahash::RandomState;

use super::catalog_table::{BUILT_IN, METRICS_GROUPS};

/// Who serves a resource; decides what may be believed about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Part of kube-apiserver.
    BuiltIn,
    /// From a CustomResourceDefinition, served by kube-apiserver.
    Custom,
    /// Served by an aggregated API server, which may ignore dry run and answer in any shape.
    Aggregated,
}

/// What is known of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kind {
    /// API group, empty for core.
    pub group: String,
    /// Plural resource name.
    pub resource: String,
    /// Kind of its objects; empty for a resource of an aggregated group, of which nothing more is known.
    pub kind: String,
    /// Whether its objects live in namespaces. Says nothing for a resource of an aggregated group.
    pub namespaced: bool,
    /// Who serves it.
    pub origin: Origin,
    /// What the columns of its Tables show, those of all versions; only known of custom resources.
    pub columns: Arc<[PrinterColumn]>,
}

/// A column of the Tables of a custom resource, by `additionalPrinterColumns` of its definition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrinterColumn {
    /// Name of the column.
    pub name: String,
    /// The keys that its JSONPath names on the way to what is shown, without indices and filters.
    pub path: Vec<String>,
}

/// Knows which resources exist.
///
/// Called for every request: an implementation answers from memory. A resource that it does not know is refused, so an
/// implementation that lags behind the cluster errs on the safe side.
pub trait ResourceCatalog: Send + Sync + 'static {
    /// What is known of a resource, in any version.
    fn lookup(&self, group: &str, resource: &str) -> Option<Arc<Kind>>;

    /// Whether objects of this custom resource may be selected by this field.
    ///
    /// Every selectable field answers whether a value was guessed right, so none is by default. `metadata.name` and
    /// `metadata.namespace` are always selectable, those of built-in resources are known.
    fn is_selectable(&self, _kind: &Kind, _field: &str) -> bool {
        false
    }
}

/// A catalog in memory: the resources of Kubernetes itself, and what is added to them.
///
/// ```
/// use countersign_core::request::{Catalog, Origin, ResourceCatalog};
///
/// let catalog = Catalog::kubernetes()
///     .with_custom("example.com", "widgets", "Widget", true)
///     .with_aggregated("subresources.kubevirt.io");
/// assert_eq!(catalog.lookup("example.com", "widgets").unwrap().origin, Origin::Custom);
/// assert!(catalog.lookup("example.com", "gadgets").is_none());
/// ```
#[derive(Debug, Clone)]
pub struct Catalog {
    /// By resource, then those of each group: one name is hashed, which hardly ever is in two groups. Keyed by random bits of
    /// the process; and no name that a caller chooses is ever put in.
    kinds: HashMap<String, Vec<Arc<Kind>>, RandomState>,
    aggregated: HashSet<String>,
    /// Group, resource, field.
    selectable: HashSet<(String, String, String)>,
}

impl Catalog {
    /// The resources of Kubernetes 1.36, and the metrics groups as aggregated ones.
    #[must_use]
    pub fn kubernetes() -> Self {
        let mut catalog = Self {
            kinds: HashMap::default(),
            aggregated: METRICS_GROUPS.into_iter().map(str::to_owned).collect(),
            selectable: HashSet::new(),
        };
        for (group, resource, kind, namespaced) in BUILT_IN {
            catalog.insert(group, resource, kind, *namespaced, Origin::BuiltIn);
        }
        catalog
    }

    /// Adds a custom resource. A resource of Kubernetes itself stays what it is.
    #[must_use]
    pub fn with_custom(mut self, group: &str, resource: &str, kind: &str, namespaced: bool) -> Self {
        if !self.contains(group, resource) {
            self.insert(group, resource, kind, namespaced, Origin::Custom);
        }
        self
    }

    /// Says what a column of a custom resource's Tables shows, by a JSONPath such as `.spec.containers[0].image`: what is
    /// masked there is masked in the column too.
    #[must_use]
    pub fn with_printer_column(mut self, group: &str, resource: &str, name: &str, path: &str) -> Self {
        let mut kinds = self.kinds.get_mut(resource).into_iter().flatten();
        let kind = kinds.find(|kind| kind.group == group);
        if let Some(kind) = kind.filter(|kind| kind.origin == Origin::Custom) {
            let column = PrinterColumn {
                name: name.to_owned(),
                path: keys_of(path),
            };
            let kind = Arc::make_mut(kind);
            kind.columns = kind.columns.iter().cloned().chain([column]).collect();
        }
        self
    }

    /// Adds a group that an aggregated API server serves: any resource of it, to be read only.
    #[must_use]
    pub fn with_aggregated(mut self, group: &str) -> Self {
        self.aggregated.insert(group.to_owned());
        self
    }

    /// Lets objects of a custom resource be selected by a field, such as `spec.color`. Whoever may list them can then
    /// find out by guessing what stands in it.
    #[must_use]
    pub fn with_selectable_field(mut self, group: &str, resource: &str, field: &str) -> Self {
        self.selectable
            .insert((group.to_owned(), resource.to_owned(), field.to_owned()));
        self
    }

    /// Whether this very resource is known; a resource of an aggregated group is not.
    #[must_use]
    pub fn contains(&self, group: &str, resource: &str) -> bool {
        self.find(group, resource).is_some()
    }

    fn find(&self, group: &str, resource: &str) -> Option<&Arc<Kind>> {
        self.kinds.get(resource)?.iter().find(|kind| kind.group == group)
    }

    fn insert(&mut self, group: &str, resource: &str, kind: &str, namespaced: bool, origin: Origin) {
        let kind = Kind {
            group: group.to_owned(),
            resource: resource.to_owned(),
            kind: kind.to_owned(),
            namespaced,
            origin,
            columns: Arc::default(),
        };
        self.kinds.entry(resource.to_owned()).or_default().push(Arc::new(kind));
    }
}

impl Default for Catalog {
    fn default() -> Self {
        Self::kubernetes()
    }
}

impl ResourceCatalog for Catalog {
    fn lookup(&self, group: &str, resource: &str) -> Option<Arc<Kind>> {
        if let Some(kind) = self.find(group, resource) {
            return Some(Arc::clone(kind));
        }
        self.aggregated.contains(group).then(|| {
            Arc::new(Kind {
                group: group.to_owned(),
                resource: resource.to_owned(),
                kind: String::new(),
                namespaced: true,
                origin: Origin::Aggregated,
                columns: Arc::default(),
            })
        })
    }

    fn is_selectable(&self, kind: &Kind, field: &str) -> bool {
        self.selectable
            .contains(&(kind.group.clone(), kind.resource.clone(), field.to_owned()))
    }
}

/// The keys of a JSONPath, in the dialect of client-go's `util/jsonpath`: `.a.b`, `.a\.b`, `['a.b']`; `[0]`, `[*]` and
/// `[?(…)]` only pick elements.
fn keys_of(path: &str) -> Vec<String> {
    let (mut keys, mut key) = (Vec::new(), String::new());
    let mut rest = path.trim_matches(|brace| brace == '{' || brace == '}').chars();
    while let Some(next) = rest.next() {
        match next {
            '.' => keys.push(std::mem::take(&mut key)),
            '\\' => key.extend(rest.next()),
            '[' => {
                keys.push(std::mem::take(&mut key));
                keys.extend(in_brackets(&mut rest));
            }
            _ => key.push(next),
        }
    }
    keys.push(key);
    keys.retain(|key| !key.is_empty() && key != "*" && key != "$");
    keys
}

/// What stands up to the closing bracket, if it is a key in quotes.
fn in_brackets(rest: &mut std::str::Chars<'_>) -> Option<String> {
    let (mut inside, mut quote, mut depth) = (String::new(), None, 1_u32);
    for next in rest {
        match (quote, next) {
            (None, '[') => depth = depth.saturating_add(1),
            (None, ']') => depth -= 1,
            (None, '\'' | '"') => quote = Some(next),
            (Some(open), _) if next == open => quote = None,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        inside.push(next);
    }
    let quoted = |quote| inside.strip_prefix(quote)?.strip_suffix(quote).map(str::to_owned);
    quoted('\'').or_else(|| quoted('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_resources_stay_what_they_are() {
        let catalog = Catalog::kubernetes()
            .with_custom("", "secrets", "Innocent", false)
            .with_aggregated("apps");
        let secrets = catalog.lookup("", "secrets").unwrap();
        assert_eq!((secrets.kind.as_str(), secrets.origin), ("Secret", Origin::BuiltIn));
        assert_eq!(catalog.lookup("apps", "deployments").unwrap().origin, Origin::BuiltIn);
        assert_eq!(catalog.lookup("apps", "others").unwrap().origin, Origin::Aggregated);
        assert!(catalog.lookup("example.com", "secrets").is_none());
        assert!(catalog.lookup("", "deployments").is_none());
    }

    #[test]
    fn columns_of_custom_resources_are_known_by_their_paths() {
        let column = |path: &str| {
            let catalog = Catalog::kubernetes()
                .with_custom("example.com", "widgets", "Widget", true)
                .with_printer_column("example.com", "widgets", "Shown", path)
                .with_printer_column("", "secrets", "Shown", path);
            assert!(catalog.lookup("", "secrets").unwrap().columns.is_empty());
            let kind = catalog.lookup("example.com", "widgets").unwrap();
            kind.columns[0].path.join(" ")
        };
        for (path, keys) in [
            (".spec.password", "spec password"),
            ("{.spec.password}", "spec password"),
            (".spec.containers[0].image", "spec containers image"),
            (
                ".status.conditions[?(@.type=='Ready')].status",
                "status conditions status",
            ),
            (
                ".status.conditions[?(@.type==\"]\")].status",
                "status conditions status",
            ),
            (
                ".metadata.annotations.example\\.com/token",
                "metadata annotations example.com/token",
            ),
            (
                ".metadata.annotations['example.com/token']",
                "metadata annotations example.com/token",
            ),
            ("..password", "password"),
            ("$.a[*].b[", "a b"),
            ("", ""),
        ] {
            assert_eq!(column(path), keys, "{path}");
        }
    }

    #[test]
    fn metrics_are_aggregated() {
        let kind = Catalog::kubernetes().lookup("custom.metrics.k8s.io", "pods").unwrap();
        assert_eq!(kind.origin, Origin::Aggregated);
    }
}
