//! Where pods' specifications are in an object.
//!
//! Built-in kinds have a fixed place ([`pod_specs`](crate::request::pod_specs)). In all others a specification is
//!
//! 1. an object that has a list of containers,
//! 2. the `spec` of something whose key ends in `template` or `templates`,
//! 3. an object whose key ends in `podTemplate` or `podSpec`.

use crate::json::Value;
use crate::request::catalog::{Kind, Origin};
use crate::request::change::place::{Place, elements, present};
use crate::request::change::sightings::MAX_DEPTH;
use crate::request::pod_specs::{CONTAINER_LISTS, pod_spec};

static NOTHING: Value = Value::Null;

/// A pod's specification and what stands around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Template<'a> {
    pub(super) place: Place<'a>,
    /// Null if the template has none.
    pub(super) spec: &'a Value,
    /// The object that the specification stands in, beside the metadata of the pods.
    pub(super) owner: &'a Value,
    pub(super) owner_place: Place<'a>,
}

/// What comes up on the way through an object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found<'a> {
    Template(&'a Template<'a>),
    /// A place beyond which nobody looks.
    TooDeep(&'a Place<'a>),
}

/// Visits the templates of an object of this kind.
pub(super) fn each(kind: &Kind, object: &Value, visit: &mut dyn FnMut(Found<'_>)) {
    match (kind.origin, pod_spec(&kind.group, &kind.resource)) {
        (Origin::BuiltIn, Some(path)) => descend(&Place::ROOT, object, path, visit),
        (Origin::BuiltIn, None) => {}
        (Origin::Custom | Origin::Aggregated, _) => {
            let root = Inside {
                key: "",
                owner: &NOTHING,
                owner_place: Place::ROOT,
                in_template: false,
                depth: 0,
            };
            search(&Place::ROOT, object, &root, visit);
        }
    }
}

fn descend(place: &Place<'_>, value: &Value, path: &[&str], visit: &mut dyn FnMut(Found<'_>)) {
    match path {
        [] => {}
        [last] => visit(Found::Template(&Template {
            place: place.key(last),
            spec: value.get(last).unwrap_or(&NOTHING),
            owner: value,
            owner_place: *place,
        })),
        [first, rest @ ..] => {
            if let Some(inner) = present(value, first) {
                descend(&place.key(first), inner, rest, visit);
            }
        }
    }
}

/// What surrounds a value on the way through an object.
#[derive(Debug, Clone, Copy)]
struct Inside<'a> {
    /// The key under which the value stands, or the list that it is in.
    key: &'a str,
    owner: &'a Value,
    owner_place: Place<'a>,
    /// Whether it is the `spec` of a template, which was visited with it.
    in_template: bool,
    depth: usize,
}

fn search(place: &Place<'_>, value: &Value, inside: &Inside<'_>, visit: &mut dyn FnMut(Found<'_>)) {
    if inside.depth > MAX_DEPTH {
        visit(Found::TooDeep(place));
        return;
    }
    let depth = inside.depth + 1;
    if let Value::Array(_) = value {
        for (token, element) in elements(Some(value)) {
            search(
                &place.element(token, element),
                element,
                &Inside { depth, ..*inside },
                visit,
            );
        }
        return;
    }
    let Some(object) = value.as_object() else { return };
    let is_template = ends_in(inside.key, "template") || ends_in(inside.key, "templates");
    if is_template {
        visit(Found::Template(&Template {
            place: place.key("spec"),
            spec: object.get("spec").unwrap_or(&NOTHING),
            owner: value,
            owner_place: *place,
        }));
    }
    let has_containers = CONTAINER_LISTS
        .into_iter()
        .any(|list| matches!(object.get(list), Some(Value::Array(_) | Value::Object(_))));
    let called_so = ends_in(inside.key, "podtemplate") || ends_in(inside.key, "podspec");
    if !inside.in_template && (has_containers || called_so) {
        visit(Found::Template(&Template {
            place: *place,
            spec: value,
            owner: inside.owner,
            owner_place: inside.owner_place,
        }));
    }
    for (key, member) in object.iter() {
        let inside = Inside {
            key,
            owner: value,
            owner_place: *place,
            in_template: is_template && key == "spec",
            depth,
        };
        search(&place.key(key), member, &inside, visit);
    }
}

fn ends_in(key: &str, suffix: &str) -> bool {
    let start = key.len().checked_sub(suffix.len());
    start
        .and_then(|start| key.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}
