//! Which rules could be about a request, found without looking at the others.
//!
//! Subjects lead to documents; document, resource and namespace lead to rules. A rule that lists neither resources nor
//! exact namespaces is found under "any". What is found is a superset of what fires: matching decides.
//!
//! Names that callers choose are hashed with a random key (SipHash), so nobody can choose names that collide; what is
//! hashed after that are numbers of our own.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use smallvec::SmallVec;

use super::matching::{Asked, Match, Place};
use super::resource::ResourceSpec;
use super::set::{Document, SubjectMatch};
use crate::subject::Subject;

/// Documents about a subject; most subjects have a few.
pub(super) type DocumentIds = SmallVec<[u32; 8]>;
/// Rules of a document, by their place in it.
pub(super) type RuleIds = SmallVec<[u32; 16]>;

/// Rules with more combinations of resources and namespaces than this are found under "any namespace".
const MAX_COMBINATIONS: usize = 64;

/// Any resource, or any namespace.
const ANY: u32 = u32::MAX;
/// Every rule about a resource, whatever namespaces it lists.
const ALL: u32 = u32::MAX - 1;
/// A name that no rule mentions.
const UNKNOWN: u32 = u32::MAX - 2;

/// Finds documents and rules.
#[derive(Debug, Default)]
pub(super) struct Index {
    users: HashMap<Box<str>, Vec<u32>>,
    groups: HashMap<Box<str>, Vec<u32>>,
    /// Documents whose subjects have to be looked at one by one.
    others: Vec<u32>,
    resources: HashMap<Box<str>, u32>,
    namespaces: HashMap<Box<str>, u32>,
    rules: HashMap<Key, Vec<u32>, BuildHasherDefault<Mix>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    document: u32,
    resource: u32,
    namespace: u32,
}

impl Index {
    pub(super) fn new(documents: &[Document]) -> Self {
        let mut index = Self::default();
        for (id, document) in (0_u32..).zip(documents) {
            index.add_subjects(id, document);
            for (rule, compiled) in (0_u32..).zip(&document.rules) {
                index.add_rule(id, rule, &compiled.matches);
            }
        }
        index
    }

    fn add_subjects(&mut self, id: u32, document: &Document) {
        for subject in &document.subjects {
            match subject {
                SubjectMatch {
                    user: Some(user),
                    group: None,
                    on_behalf_of: None,
                } if user.is_exact() => self.users.entry(user.as_str().into()).or_default().push(id),
                SubjectMatch {
                    user: None,
                    group: Some(group),
                    on_behalf_of: None,
                } if group.is_exact() => self.groups.entry(group.as_str().into()).or_default().push(id),
                _ => self.others.push(id),
            }
        }
        self.others.dedup();
    }

    fn add_rule(&mut self, document: u32, rule: u32, matches: &Match) {
        let mut resources = self.resource_ids(matches);
        let mut namespaces = self.namespace_ids(matches);
        if resources.len().saturating_mul(namespaces.len()) > MAX_COMBINATIONS {
            namespaces = vec![ANY];
        }
        if resources.len() > MAX_COMBINATIONS {
            resources = vec![ANY];
        }
        for resource in resources {
            for namespace in namespaces.iter().copied().chain([ALL]) {
                let key = Key {
                    document,
                    resource,
                    namespace,
                };
                self.rules.entry(key).or_default().push(rule);
            }
        }
    }

    /// The resources that a rule lists; "any" if it lists none, or one that has no name of its own.
    fn resource_ids(&mut self, matches: &Match) -> Vec<u32> {
        let Some(specs) = &matches.resources else {
            return vec![ANY];
        };
        let mut ids = Vec::new();
        for spec in specs {
            let ResourceSpec::Some {
                resource: Some(resource),
                ..
            } = spec
            else {
                return vec![ANY];
            };
            ids.push(intern(&mut self.resources, resource));
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The namespaces that a rule lists; "any" if it lists none, or a pattern.
    fn namespace_ids(&mut self, matches: &Match) -> Vec<u32> {
        let Some(globs) = &matches.namespaces else {
            return vec![ANY];
        };
        if !globs.iter().all(super::glob::Glob::is_exact) {
            return vec![ANY];
        }
        let mut ids: Vec<u32> = globs
            .iter()
            .map(|glob| intern(&mut self.namespaces, glob.as_str()))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The documents about a subject, in their order.
    pub(super) fn documents(&self, subject: &Subject, documents: &[Document]) -> DocumentIds {
        let mut ids = DocumentIds::new();
        ids.extend_from_slice(self.users.get(subject.user.as_str()).map_or(&[], Vec::as_slice));
        if !self.groups.is_empty() {
            for group in &subject.groups {
                ids.extend_from_slice(self.groups.get(group.as_str()).map_or(&[], Vec::as_slice));
            }
        }
        for id in &self.others {
            let document = usize::try_from(*id).ok().and_then(|id| documents.get(id));
            if document.is_some_and(|document| document.is_about(subject)) {
                ids.push(*id);
            }
        }
        if ids.len() > 1 {
            ids.sort_unstable();
            ids.dedup();
        }
        ids
    }

    /// What a request is about, in the index's own numbers.
    pub(super) fn place(&self, asked: &Asked<'_>) -> Lookup {
        let resource = asked
            .resource
            .map(|resource| self.resources.get(resource.resource).copied().unwrap_or(UNKNOWN));
        let namespaces = match asked.place {
            Place::Nowhere | Place::Cluster => [ANY, UNKNOWN],
            Place::Namespace(namespace) => [ANY, self.namespaces.get(namespace).copied().unwrap_or(UNKNOWN)],
            // Patterns and names restrict such a request whatever they say.
            Place::AllNamespaces | Place::NamespaceObjects | Place::Unknown => [ALL, UNKNOWN],
        };
        Lookup { resource, namespaces }
    }

    /// The rules of a document that could be about a request, in their order.
    pub(super) fn rules(&self, document: u32, lookup: Lookup) -> RuleIds {
        let mut ids = RuleIds::new();
        let mut found = 0;
        for resource in [Some(ANY), lookup.resource].into_iter().flatten() {
            for namespace in lookup.namespaces {
                if resource == UNKNOWN || namespace == UNKNOWN {
                    continue;
                }
                let key = Key {
                    document,
                    resource,
                    namespace,
                };
                if let Some(rules) = self.rules.get(&key) {
                    ids.extend_from_slice(rules);
                    found += 1;
                }
            }
        }
        if found > 1 {
            ids.sort_unstable();
        }
        ids
    }
}

/// What a request is about, in the index's own numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup {
    resource: Option<u32>,
    namespaces: [u32; 2],
}

fn intern(names: &mut HashMap<Box<str>, u32>, name: &str) -> u32 {
    let next = u32::try_from(names.len()).unwrap_or(UNKNOWN);
    *names.entry(name.into()).or_insert(next)
}

/// Mixes numbers that nobody outside chooses.
#[derive(Debug, Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0.rotate_left(26) ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
