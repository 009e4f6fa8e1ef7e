//! What the tables and the policy say of one value.

use smallvec::SmallVec;
use smol_str::SmolStr;

use super::Kin;
use crate::mask::kinds::{Node, Step, Treatment};
use crate::mask::seen::Terms;
use crate::policy::MaskObligation;

/// Where a value is, as far as it matters: what identifies an object is never masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Place {
    /// The object itself.
    #[default]
    Root,
    /// Its `metadata`.
    Metadata,
    /// Anywhere else.
    Inside,
}

impl Place {
    /// The place of a member; none for members that identify the object.
    pub(super) fn member(self, key: &str) -> Option<Self> {
        match (self, key) {
            (Self::Root, "apiVersion" | "kind")
            | (
                Self::Metadata,
                "name" | "namespace" | "generateName" | "uid" | "resourceVersion" | "generation" | "selfLink"
                | "continue" | "creationTimestamp" | "deletionTimestamp",
            ) => None,
            (Self::Root, "metadata") => Some(Self::Metadata),
            _ => Some(Self::Inside),
        }
    }
}

/// A path of the policy that leads on.
#[derive(Debug, Clone)]
struct Obliged<'p> {
    rest: &'p [String],
    rule: &'p str,
}

/// Where a value is in the tables and in the policy's paths.
#[derive(Debug, Clone, Default)]
pub(super) struct Trail<'p> {
    nodes: SmallVec<[&'p Node; 4]>,
    /// Whether some kind's table has no place for it.
    pub(super) is_off: bool,
    obliged: Vec<Obliged<'p>>,
    pub(super) place: Place,
    /// Whether the field is base64.
    pub(super) is_base64: bool,
    /// Whether what its tables mask are the values of a Secret.
    pub(super) is_secret_data: bool,
}

impl<'p> Trail<'p> {
    /// A value of which nothing is known.
    pub(super) fn unknown() -> Self {
        Self {
            is_off: true,
            place: Place::Inside,
            ..Self::default()
        }
    }

    /// Makes it that of an object of these kinds.
    pub(super) fn enter(&mut self, kin: &Kin<'p>) {
        self.nodes.extend(kin.nodes.iter().copied());
        self.is_off |= !kin.is_known();
    }

    /// Makes it that of an object under these obligations.
    pub(super) fn oblige(&mut self, obligations: &[&'p MaskObligation]) {
        for obligation in obligations {
            self.obliged.extend(obligation.paths.iter().map(|path| Obliged {
                rest: path.segments(),
                rule: &obligation.rule,
            }));
        }
    }

    /// Adds a place of a table.
    pub(super) fn also(&mut self, node: &'p Node) {
        self.nodes.push(node);
    }

    /// That of a member; none for members that identify the object.
    pub(super) fn member(&self, key: &str) -> Option<Self> {
        let mut next = Self {
            nodes: SmallVec::new(),
            is_off: self.is_off,
            obliged: self.lead_on(|first| first == key),
            place: self.place.member(key)?,
            is_base64: self.is_base64,
            is_secret_data: self.is_secret_data,
        };
        for node in &self.nodes {
            match node.step(key) {
                Step::To(child) => next.nodes.push(child),
                Step::Same => next.nodes.push(node),
                Step::Off => next.is_off = true,
                Step::Nothing => {}
            }
        }
        // No table says anything any more: those of policies end here.
        next.is_off |= next.nodes.is_empty();
        Some(next)
    }

    /// That of an element, if it is not that of the array.
    pub(super) fn element(&self, index: usize) -> Option<Self> {
        let stars = self.nodes.iter().any(|node| node.is_extra());
        if self.obliged.is_empty() && !stars {
            return None;
        }
        let mut next = Self {
            nodes: self.nodes.clone(),
            is_off: self.is_off,
            obliged: self.lead_on(|first| first.parse() == Ok(index)),
            place: Place::Inside,
            is_base64: self.is_base64,
            is_secret_data: self.is_secret_data,
        };
        // A policy may write `*` for the elements, or look through the array.
        next.nodes.extend(self.nodes.iter().filter_map(|node| node.any()));
        Some(next)
    }

    /// Makes it one of which the tables say nothing.
    pub(super) fn forget_tables(&mut self) {
        self.nodes.clear();
        self.is_off = true;
    }

    fn lead_on(&self, fits: impl Fn(&str) -> bool) -> Vec<Obliged<'p>> {
        if self.obliged.is_empty() {
            return Vec::new();
        }
        let next = self.obliged.iter().filter_map(|path| {
            let (first, rest) = path.rest.split_first()?;
            (first == "*" || fits(first)).then_some(Obliged { rest, rule: path.rule })
        });
        next.collect()
    }

    /// The rule of the policy that masks all of it.
    pub(super) fn obligation(&self) -> Option<SmolStr> {
        let ends = self.obliged.iter().find(|path| path.rest.is_empty());
        ends.map(|path| SmolStr::new(path.rule))
    }

    /// Whether every scalar of it is masked by a table.
    pub(super) fn is_masked(&self) -> bool {
        matches!(self.treatment(), Treatment::Whole | Treatment::Base64)
    }

    /// Whether a path of the policy leads to something in it.
    pub(super) fn is_obliged(&self) -> bool {
        !self.obliged.is_empty()
    }

    /// Whether nothing at or below it is masked for where it is.
    pub(super) fn only_looks(&self) -> bool {
        let is_looked_at = |node: &&Node| node.only_looks();
        self.obliged.is_empty() && self.place == Place::Inside && self.nodes.iter().all(is_looked_at)
    }

    /// The place of it in a table, if that alone decides about it.
    #[inline]
    pub(super) fn only_node(&self) -> Option<&'p Node> {
        match *self.nodes.as_slice() {
            [node] if !self.is_off && !node.is_extra() && !self.is_obliged() && self.place == Place::Inside => {
                Some(node)
            }
            _ => None,
        }
    }

    /// That of a value at another place of the one table that decides.
    pub(super) fn at(&self, node: &'p Node) -> Self {
        Self {
            nodes: SmallVec::from_slice(&[node]),
            is_off: false,
            obliged: Vec::new(),
            place: Place::Inside,
            is_base64: self.is_base64,
            is_secret_data: self.is_secret_data,
        }
    }

    /// All that it says of a value, if that is worth remembering: not where a path of the policy leads on.
    pub(super) fn terms(&self) -> Option<Terms> {
        if self.is_obliged() {
            return None;
        }
        let nodes = match *self.nodes.as_slice() {
            [] => [0, 0],
            [node] => [std::ptr::from_ref(node).addr(), 0],
            [first, second] => [first, second].map(|node| std::ptr::from_ref(node).addr()),
            _ => return None,
        };
        let flags = [self.is_off, self.is_base64, self.is_secret_data];
        let state = flags
            .iter()
            .fold(self.place as u32, |state, flag| state << 1 | u32::from(*flag));
        Some(Terms { nodes, state })
    }

    /// What becomes of it.
    pub(super) fn treatment(&self) -> Treatment {
        let unnamed = if self.is_off { Treatment::Scan } else { Treatment::Keep };
        // A place that only leads to others.
        let of = |node: &&Node| {
            node.treatment()
                .or_else(|| (!node.is_extra()).then_some(Treatment::Scan))
        };
        self.nodes.iter().filter_map(of).fold(unnamed, Treatment::max)
    }
}
