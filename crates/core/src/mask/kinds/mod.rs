//! Which fields of which kinds are masked, and how: a table, compiled into a tree of keys for each kind.
//!
//! 1. Kinds count by name, in any group and in any case: the kind in a body is only a claim.
//! 2. A field that the table does not name is scanned: its name and its value are looked at. So a field that a later
//!    Kubernetes adds is not forgotten, and only what the table says to [`keep`](Treatment::Keep) is not looked at.
//! 3. Arrays are looked through: a path names keys only.
//! 4. Rules of a policy are added, and never take anything away.

mod children;
mod field_rule;
mod standing;
mod table;

use std::fmt;
use std::sync::{Arc, LazyLock};

use self::children::Children;
use super::keys;
pub use field_rule::{FieldRule, FieldRuleError, FieldTreatment};
pub(crate) use standing::{Standing, standing};

/// Of which Kubernetes the table is, and its revision.
pub const KINDS_VERSION: &str = table::VERSION;

/// What becomes of the values at a path; of two that apply to one value, the later one here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Treatment {
    /// Nothing can stand there but what the API server has checked for a narrow syntax.
    Keep,
    /// What looks like a secret is masked; names do not count.
    Text,
    /// What looks like a secret, or has the name of one, is masked. So is every field that is not in the table.
    Scan,
    /// The arguments of a command.
    Arguments,
    /// A URL: its userinfo goes whole, and the rest is scanned.
    Url,
    /// A value that somebody set under a name: everything in strict mode, else like a scan; files of credentials whole.
    Setting,
    /// The same in base64.
    Binary,
    /// A copy of a workload's template; what is none is masked whole.
    Revision,
    /// Every scalar is masked.
    Whole,
    /// The same, where the field is base64.
    Base64,
}

/// A place in objects of a kind.
#[derive(Debug, Default, Clone)]
pub(super) struct Node {
    children: Children,
    any: Option<Box<Node>>,
    treatment: Option<Treatment>,
    /// The latest of those here and below.
    strongest: Option<Treatment>,
    /// Of a policy: where its paths do not lead, it says nothing.
    is_extra: bool,
}

/// What a node says of a member.
pub(super) enum Step<'k> {
    /// The member has a place of its own.
    To(&'k Node),
    /// It is treated like what is around it.
    Same,
    /// The table does not name it.
    Off,
    /// Others decide.
    Nothing,
}

impl Node {
    pub(super) fn step(&self, key: &str) -> Step<'_> {
        self.step_tagged(keys::tag(key.as_bytes()), key)
    }

    /// The same for a key whose [tag](keys::tag) is known.
    #[inline]
    pub(super) fn step_tagged(&self, tag: u32, key: &str) -> Step<'_> {
        let found = self.children.get_tagged(tag, key).or(self.any.as_deref());
        match (found, self.treatment) {
            (Some(node), _) => Step::To(node),
            (None, Some(_)) => Step::Same,
            (None, None) if self.is_extra => Step::Nothing,
            (None, None) => Step::Off,
        }
    }

    /// Whether it has a place for a member of this key.
    fn has(&self, key: &str) -> bool {
        self.children.get(key).is_some()
    }

    /// The place of any member that has none of its own.
    pub(super) fn any(&self) -> Option<&Node> {
        self.any.as_deref().filter(|_| self.is_extra)
    }

    /// Whether it is of a policy.
    pub(super) fn is_extra(&self) -> bool {
        self.is_extra
    }

    pub(super) fn treatment(&self) -> Option<Treatment> {
        self.treatment
    }

    /// Whether nothing here or below is masked for where it is, or for how it is called.
    pub(super) fn only_looks(&self) -> bool {
        let is_looked_at = |strongest| strongest <= Treatment::Arguments;
        !self.is_extra && self.strongest.is_none_or(is_looked_at)
    }

    /// Adds a path.
    fn add(&mut self, path: &[&str], treatment: Treatment) {
        self.strongest = self.strongest.max(Some(treatment));
        let Some((first, rest)) = path.split_first() else {
            self.treatment = self.treatment.max(Some(treatment));
            return;
        };
        let is_extra = self.is_extra;
        let new = || Self {
            is_extra,
            ..Self::default()
        };
        if *first == "*" {
            self.any.get_or_insert_with(|| Box::new(new())).add(rest, treatment);
            return;
        }
        self.children.change(first, new, |child| child.add(rest, treatment));
    }
}

/// A kind of the table.
#[derive(Debug)]
struct BuiltIn {
    kind: &'static str,
    node: Node,
    /// Whether it has fields that are, or may be, masked.
    is_masked: bool,
}

/// The table of this crate, compiled.
#[derive(Debug)]
struct Compiled {
    /// By name in lower case.
    kinds: Vec<BuiltIn>,
    container: Node,
    volume: Node,
    template: Node,
}

static BUILT_IN: LazyLock<Compiled> = LazyLock::new(Compiled::new);

impl Compiled {
    fn new() -> Self {
        let mut kinds: Vec<BuiltIn> = Vec::new();
        for row in table::ROWS {
            for kind in row.kinds.split(' ') {
                let at = match kinds.binary_search_by(|known| order(known.kind, kind)) {
                    Ok(at) => at,
                    Err(at) => {
                        let new = BuiltIn {
                            kind,
                            node: Node::default(),
                            is_masked: false,
                        };
                        kinds.insert(at, new);
                        at
                    }
                };
                if let Some(known) = kinds.get_mut(at) {
                    known.is_masked |= add_row(&mut known.node, row);
                }
            }
        }
        let part = |rows: &[table::Row]| {
            let mut node = Node::default();
            for row in rows {
                add_row(&mut node, row);
            }
            node
        };
        Self {
            kinds,
            container: part(table::CONTAINER),
            volume: part(table::VOLUME),
            template: part(table::SECRET_TEMPLATE),
        }
    }
}

/// Adds a row, with all that it stands for. Whether anything is masked there.
fn add_row(node: &mut Node, row: &table::Row) -> bool {
    let mut is_masked = false;
    for path in alternatives(row.path) {
        let keys: Vec<&str> = path.split('.').filter(|key| !key.is_empty()).collect();
        let nested: &[table::Row] = match row.what {
            table::What::Is(treatment) => {
                is_masked |= !matches!(treatment, Treatment::Keep | Treatment::Text);
                node.add(&keys, treatment);
                continue;
            }
            table::What::PodSpec => table::POD_SPEC,
            table::What::Container => table::CONTAINER,
            table::What::Volume => table::VOLUME,
        };
        is_masked = true;
        for inner in nested {
            let inner = table::Row {
                path: &format!("{path}.{}", inner.path),
                ..*inner
            };
            add_row(node, &inner);
        }
    }
    is_masked
}

/// A path for each of the alternatives in its braces.
fn alternatives(path: &str) -> Vec<String> {
    let parts = path
        .split_once('{')
        .and_then(|(before, rest)| rest.split_once('}').map(|(inside, after)| (before, inside, after)));
    let Some((before, inside, after)) = parts else {
        return vec![path.to_owned()];
    };
    inside
        .split(' ')
        .flat_map(|choice| alternatives(&format!("{before}{choice}{after}")))
        .collect()
}

/// Compares names without case.
fn order(a: &str, b: &str) -> std::cmp::Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    a.bytes().map(lower).cmp(b.bytes().map(lower))
}

fn built_in(kind: &str) -> Option<&'static BuiltIn> {
    let at = BUILT_IN.kinds.binary_search_by(|known| order(known.kind, kind)).ok()?;
    BUILT_IN.kinds.get(at)
}

/// What the table says of a kind.
pub(super) fn built_in_node(kind: &str) -> Option<&'static Node> {
    built_in(kind).map(|known| &known.node)
}

/// A kind that a policy has rules about.
#[derive(Debug)]
struct Extra {
    kind: String,
    groups: Vec<String>,
    node: Node,
}

/// Which fields of which kinds are masked; cheap to clone.
#[derive(Clone, Default)]
pub struct Kinds {
    extra: Arc<[Extra]>,
}

impl Kinds {
    /// The table that comes with this crate.
    #[must_use]
    pub fn built_in() -> Self {
        Self::default()
    }

    /// This table with further rules.
    ///
    /// # Errors
    /// The first rule that would mask what identifies an object.
    pub fn with(&self, rules: &[FieldRule]) -> Result<Self, FieldRuleError> {
        let mut extra: Vec<Extra> = self.extra.iter().map(Extra::copy).collect();
        for (index, rule) in rules.iter().enumerate() {
            rule.check(index)?;
            let fits = |known: &&mut Extra| known.kind.eq_ignore_ascii_case(&rule.kind) && known.groups == rule.groups;
            let path: Vec<&str> = rule.path.segments().iter().map(String::as_str).collect();
            if let Some(known) = extra.iter_mut().find(fits) {
                known.node.add(&path, rule.treatment.into());
            } else {
                let mut node = Node {
                    is_extra: true,
                    ..Node::default()
                };
                node.add(&path, rule.treatment.into());
                extra.push(Extra {
                    kind: rule.kind.clone(),
                    groups: rule.groups.clone(),
                    node,
                });
            }
        }
        Ok(Self { extra: extra.into() })
    }

    /// Whether a policy has added anything.
    pub(super) fn has_extra(&self) -> bool {
        !self.extra.is_empty()
    }

    /// What a policy says of a kind. A rule for some groups counts where the group is not known.
    pub(super) fn extra<'k>(&'k self, kind: &str, group: Option<&str>) -> impl Iterator<Item = &'k Node> {
        let fits = move |extra: &&Extra| {
            extra.kind.eq_ignore_ascii_case(kind)
                && (extra.groups.is_empty()
                    || group.is_none_or(|group| extra.groups.iter().any(|known| known == group)))
        };
        self.extra.iter().filter(fits).map(|extra| &extra.node)
    }

    /// Whether objects of a kind have fields that are, or may be, masked.
    pub(super) fn has_masked_paths(&self, kind: &str) -> bool {
        built_in(kind).is_some_and(|known| known.is_masked)
            || self.extra.iter().any(|extra| extra.kind.eq_ignore_ascii_case(kind))
    }

    /// The same for what an error calls its kind: a kind, or a resource, which is the kind in lower case and plural.
    pub(super) fn may_have_masked_paths(&self, kind_or_resource: &str) -> bool {
        singulars(kind_or_resource).any(|kind| self.has_masked_paths(&kind))
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kinds")
            .field("version", &KINDS_VERSION)
            .field("extra", &self.extra.len())
            .finish()
    }
}

impl Extra {
    fn copy(&self) -> Self {
        Self {
            kind: self.kind.clone(),
            groups: self.groups.clone(),
            node: self.node.clone(),
        }
    }
}

/// What a resource's kind may be called, in lower case: without an ending of the plural.
pub(super) fn singulars(resource: &str) -> impl Iterator<Item = String> {
    let cut = |ending: &str, instead: &str| {
        let start = resource.len().checked_sub(ending.len())?;
        let (singular, plural) = resource.split_at_checked(start)?;
        plural
            .eq_ignore_ascii_case(ending)
            .then(|| format!("{singular}{instead}"))
    };
    [Some(resource.to_owned()), cut("s", ""), cut("es", ""), cut("ies", "y")]
        .into_iter()
        .flatten()
}

/// Whether a kind is that of Secrets.
pub(super) fn is_secret(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("Secret")
}

/// Places that mean the same in every kind, known or not, by their key.
pub(super) fn well_known(key: &str) -> Option<&'static Node> {
    match key {
        "containers" | "initContainers" | "ephemeralContainers" => Some(&BUILT_IN.container),
        "volumes" => Some(&BUILT_IN.volume),
        _ => None,
    }
}

/// The data of a Secret that a custom resource makes, below its `template`.
pub(super) fn secret_template() -> &'static Node {
    &BUILT_IN.template
}

#[cfg(test)]
mod tests;
