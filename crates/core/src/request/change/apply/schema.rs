//! How the fields of a kind merge: a cursor that walks the table along with an object.

use super::merge_schema_table::{KINDS, TYPES};
use crate::json::Value;

/// The metadata of all kinds.
const METADATA: &str = "meta.v1.ObjectMeta";

/// A type of which something has to be known.
pub(super) struct Type {
    pub(super) name: &'static str,
    /// Whether a server-side apply replaces it as a whole.
    pub(super) atomic: bool,
    /// Fields of which something has to be known, by name.
    pub(super) fields: &'static [Field],
}

/// A field of a type.
pub(super) struct Field {
    pub(super) name: &'static str,
    /// Type of the field, or of the elements of its list or map; empty if nothing has to be known of it.
    pub(super) of: &'static str,
    pub(super) patch: Patch,
    pub(super) apply: Apply,
}

/// What a strategic merge patch does with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patch {
    /// Objects are merged, lists replaced.
    Usual,
    /// A list is merged, its elements matched by this key; the empty key is for elements that are scalars.
    Merge(&'static str),
    /// An object is replaced.
    Replace,
}

/// What a server-side apply does with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Apply {
    /// Objects are merged, lists replaced.
    Usual,
    /// An object is replaced.
    Atomic,
    /// Scalars are added.
    Set,
    /// A list is merged, its elements matched by these keys.
    Map(&'static [&'static str]),
}

/// Where in the schema a value stands.
#[derive(Clone, Copy)]
pub(in super::super) struct Node {
    of: Option<&'static Type>,
    patch: Patch,
    apply: Apply,
    /// Nothing is known of how it merges: a custom resource.
    unknown: bool,
}

impl Node {
    /// The root of a built-in kind.
    pub(in super::super) fn of_kind(group: &str, version: &str, kind: &str) -> Self {
        let wanted = (group, kind, version);
        let index = KINDS.binary_search_by(|(group, kind, version, _)| (*group, *kind, *version).cmp(&wanted));
        let row = index.ok().and_then(|index| KINDS.get(index));
        Self::of_type(row.map_or("", |(.., name)| name))
    }

    /// The root of a kind of which nobody knows how it merges.
    pub(in super::super) fn custom() -> Self {
        Self {
            unknown: true,
            ..Self::of_type("")
        }
    }

    fn of_type(name: &str) -> Self {
        Self {
            of: lookup(name),
            patch: Patch::Usual,
            apply: Apply::Usual,
            unknown: false,
        }
    }

    /// The member of an object here. `is_root`: of the object itself.
    pub(in super::super) fn member(self, key: &str, is_root: bool) -> Self {
        if is_root && key == "metadata" {
            return Self::of_type(METADATA);
        }
        if self.unknown {
            return self;
        }
        let field = self.of.and_then(|of| {
            let index = of.fields.binary_search_by(|field| field.name.cmp(key)).ok()?;
            of.fields.get(index)
        });
        // A map of objects has no type of its own in the table; the types of its values have fields that say nothing.
        field.map_or(Self::of_type(""), |field| Self {
            of: lookup(field.of),
            patch: field.patch,
            apply: field.apply,
            unknown: false,
        })
    }

    /// An element of a list here.
    pub(in super::super) fn element(self) -> Self {
        Self {
            patch: Patch::Usual,
            apply: Apply::Usual,
            ..self
        }
    }

    pub(super) fn patch(self) -> Patch {
        self.patch
    }

    pub(super) fn apply(self) -> Apply {
        self.apply
    }

    /// Whether what stands here is an object or a list, as far as the table tells.
    pub(in super::super) fn holds_others(self) -> bool {
        self.of.is_some() || self.patch != Patch::Usual || self.apply != Apply::Usual
    }

    /// Whether nothing is known of how it merges.
    pub(in super::super) fn is_unknown(self) -> bool {
        self.unknown
    }

    /// Whether a server-side apply replaces an object here as a whole.
    pub(super) fn is_atomic(self) -> bool {
        self.apply == Apply::Atomic || self.of.is_some_and(|of| of.atomic)
    }

    /// Whether a strategic merge patch replaces a list here as a whole.
    pub(in super::super) fn patch_replaces_list(self) -> bool {
        !matches!(self.patch, Patch::Merge(_))
    }

    /// Whether a strategic merge patch replaces an object here as a whole.
    pub(in super::super) fn patch_replaces_object(self) -> bool {
        self.patch == Patch::Replace
    }

    /// What identifies an element of a list here; `None` if nothing but its whole value does.
    pub(in super::super) fn identity(self, element: &Value) -> Option<String> {
        match (self.apply, self.patch) {
            (Apply::Map(keys), _) => identity(element, keys),
            (_, Patch::Merge(key)) if !key.is_empty() => identity(element, &[key]),
            _ => None,
        }
    }
}

fn lookup(name: &str) -> Option<&'static Type> {
    let index = TYPES.binary_search_by(|of| of.name.cmp(name)).ok()?;
    TYPES.get(index)
}

/// What stands for a key that an element leaves out: the one key that has a default.
const KEY_DEFAULTS: &[(&str, &str)] = &[("protocol", "TCP")];

/// The values of the keys of an element, as one text; `None` if it has none of them.
pub(super) fn identity(element: &Value, keys: &[&str]) -> Option<String> {
    let element = element.as_object()?;
    let mut out = String::new();
    let mut found = false;
    for key in keys {
        match element.get(key) {
            Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) => {
                found = true;
                value.write(&mut out);
            }
            None | Some(Value::Null) => {
                if let Some((_, default)) = KEY_DEFAULTS.iter().find(|(name, _)| name == key) {
                    crate::json::write_string(default, &mut out);
                }
            }
            Some(_) => return None,
        }
        out.push(',');
    }
    found.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_complete() {
        assert!(KINDS.is_sorted_by_key(|(group, kind, version, _)| (*group, *kind, *version)));
        assert!(TYPES.is_sorted_by_key(|of| of.name));
        let known = |name: &str| name.is_empty() || lookup(name).is_some();
        assert!(KINDS.iter().all(|(.., name)| known(name)) && known(METADATA));
        for of in TYPES {
            assert!(of.fields.is_sorted_by_key(|field| field.name), "{}", of.name);
            assert!(of.fields.iter().all(|field| known(field.of)), "{}", of.name);
        }
    }

    #[test]
    fn the_cursor_follows_an_object() {
        let deployment = Node::of_kind("apps", "v1", "Deployment");
        let at = |path: &[&str]| {
            let root = deployment.member(path[0], true);
            path[1..].iter().fold(root, |node, key| node.member(key, false))
        };
        let containers = at(&["spec", "template", "spec", "containers"]);
        assert_eq!(containers.patch(), Patch::Merge("name"));
        assert_eq!(containers.apply(), Apply::Map(&["name"]));
        let container = containers.element();
        let ports = container.member("ports", false);
        assert_eq!(ports.apply(), Apply::Map(&["containerPort", "protocol"]));
        assert_eq!(container.member("args", false).patch(), Patch::Usual);
        assert!(at(&["spec", "selector"]).is_atomic());
        assert!(!at(&["spec", "template"]).is_atomic());
        assert_eq!(at(&["metadata", "finalizers"]).patch(), Patch::Merge(""));
        let custom = Node::custom();
        assert!(custom.member("spec", true).member("list", false).is_unknown());
        assert_eq!(
            custom.member("metadata", true).member("finalizers", false).apply(),
            Apply::Set
        );
        // Two ports that differ in the protocol only, which one of them leaves to the default.
        let port = |text: &str| ports.identity(&Value::parse(text.as_bytes()).unwrap());
        assert_eq!(
            port(r#"{"containerPort":53}"#),
            port(r#"{"containerPort":53,"protocol":"TCP"}"#)
        );
        assert_ne!(
            port(r#"{"containerPort":53}"#),
            port(r#"{"containerPort":53,"protocol":"UDP"}"#)
        );
    }
}
