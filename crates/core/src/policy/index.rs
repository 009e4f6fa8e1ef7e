//! Which rules could be about a request, found without looking at the others.
//!
//! 1. Subjects lead to documents by the names of users and groups; subjects with patterns are looked at one by one.
//! 2. A document and a resource lead to small entries that lie side by side, one for each rule: those that are open to
//!    namespaces by a pattern or by listing none, and those of exact namespaces, in the order of their hashes if they are
//!    more than a few.
//! 3. The verbs of an entry, and the first bytes of its namespaces and names, tell of most rules that they are about
//!    something else. What is left is a superset of what fires: matching decides.
//!
//! Names that callers choose are hashed by aHash, which is made to withstand chosen keys, under random bits of the
//! process and of the index. What is hashed after that are hashes and numbers of our own. And nothing that a caller names
//! is put into a table: names that collide could only be looked for.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher};
use std::ops::Range;

use ahash::RandomState;
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::glob::Glob;
use super::matching::{Asked, Match, Place, Verbs};
use super::resource::ResourceSpec;
use super::set::{Action, CompiledRule, Document, SubjectMatch};
use crate::request::Verb;
use crate::subject::Subject;

/// Documents about a subject; most subjects have a few.
pub(super) type DocumentIds = SmallVec<[u32; 4]>;
/// Rules of a document, by their place in it.
pub(super) type RuleIds = SmallVec<[u32; 8]>;

/// Rules with more combinations of resources and namespaces than this are open to all namespaces.
const MAX_COMBINATIONS: usize = 64;

/// Rules of exact namespaces, of one document and resource, that are looked at one by one: so many at the most.
const FEW: usize = if cfg!(test) { 2 } else { 8 };

/// Finds documents and rules.
#[derive(Debug, Default)]
pub(super) struct Index {
    hash: RandomState,
    users: Names,
    groups: Names,
    /// Documents whose subjects have to be looked at one by one.
    others: Vec<u32>,
    /// By document: rules that are about resources without naming them.
    unnamed: Vec<Rules>,
    /// By document and hash of the resource.
    named: HashMap<(u32, u64), Rules, BuildHasherDefault<Mix>>,
    open: Vec<(Start, Entry)>,
    exact: Vec<(u64, Entry)>,
}

/// Documents by the name of a user or a group.
#[derive(Debug, Default)]
struct Names {
    documents: HashMap<SmolStr, DocumentIds, RandomState>,
    /// A bit for each length of a name: most groups that somebody is in are not in the policy, and of another length.
    lengths: u64,
}

/// Where entries lie.
#[derive(Debug, Clone, Default)]
struct Rules {
    open: Range<u32>,
    exact: Range<u32>,
}

/// What tells without a look at a rule that it is about something else.
#[derive(Debug, Clone, Copy)]
struct Entry {
    rule: u32,
    verbs: Verbs,
    names: Start,
}

/// Entries on their way into the index.
#[derive(Default)]
struct Entries {
    /// With how their namespaces start.
    open: Vec<(Start, Entry)>,
    /// With the hash of a namespace, and how the namespaces of the rule start.
    exact: Vec<(u64, Start, Entry)>,
}

/// What a request is about, as the index has it.
#[derive(Debug)]
pub(super) struct Lookup<'r> {
    resource: Option<u64>,
    namespaces: Namespaces<'r>,
    /// Hash of the one namespace, once it is needed.
    hash: Cell<Option<u64>>,
    verbs: Verbs,
    /// How its namespace starts, if it has one.
    namespace: Beginning,
    /// How its name starts, if that tells anything.
    name: Beginning,
}

#[derive(Debug, Clone, Copy)]
enum Namespaces<'r> {
    None,
    One(&'r str),
    All,
}

impl Index {
    pub(super) fn new(documents: &[Document]) -> Self {
        let mut index = Self::default();
        let mut unnamed: Vec<Entries> = Vec::new();
        let mut named: BTreeMap<(u32, u64), Entries> = BTreeMap::new();
        for (id, document) in (0_u32..).zip(documents) {
            index.add_subjects(id, document);
            let mut about_unnamed = Entries::default();
            for (rule, compiled) in (0_u32..).zip(&document.rules) {
                let resources = index.resources(&compiled.matches);
                let namespaces = index.namespaces(&compiled.matches, resources.len());
                let entry = Entry::new(rule, compiled);
                if resources.is_empty() {
                    about_unnamed.add(entry, &compiled.matches, &namespaces);
                }
                for resource in resources {
                    let entries = named.entry((id, resource)).or_default();
                    entries.add(entry, &compiled.matches, &namespaces);
                }
            }
            unnamed.push(about_unnamed);
        }
        // In the order of the documents: what is looked at together lies together.
        index.unnamed = unnamed.into_iter().map(|entries| index.keep(entries)).collect();
        for (key, entries) in named {
            let rules = index.keep(entries);
            index.named.insert(key, rules);
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
                } if user.is_exact() => self.users.add(user.as_str(), id),
                SubjectMatch {
                    user: None,
                    group: Some(group),
                    on_behalf_of: None,
                } if group.is_exact() => self.groups.add(group.as_str(), id),
                _ => self.others.push(id),
            }
        }
        self.others.dedup();
    }

    fn hash(&self, text: &str) -> u64 {
        let mut hasher = self.hash.build_hasher();
        // Its bytes and their number, without what would part it from something that follows.
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    /// The resources that a rule lists; none if it lists none, too many, or one that has no name of its own.
    fn resources(&self, matches: &Match) -> Vec<u64> {
        let name = |spec: &ResourceSpec| match spec {
            ResourceSpec::Some { resource, .. } => resource.as_deref().map(|name| self.hash(name)),
            ResourceSpec::Everything => None,
        };
        let specs = matches.resources.iter().flatten();
        let hashes = unique(specs.map(name).collect::<Option<Vec<u64>>>().unwrap_or_default());
        if hashes.len() > MAX_COMBINATIONS {
            return Vec::new();
        }
        hashes
    }

    /// The namespaces that a rule lists; none if it lists none, too many, or a pattern.
    fn namespaces(&self, matches: &Match, resources: usize) -> Vec<u64> {
        let exact = |glob: &Glob| glob.is_exact().then(|| self.hash(glob.as_str()));
        let globs = matches.namespaces.iter().flatten();
        let hashes = unique(globs.map(exact).collect::<Option<Vec<u64>>>().unwrap_or_default());
        if hashes.len().saturating_mul(resources.max(1)) > MAX_COMBINATIONS {
            return Vec::new();
        }
        hashes
    }

    fn keep(&mut self, mut entries: Entries) -> Rules {
        // To hash a namespace takes longer than to look at a few entries.
        if entries.exact.len() <= FEW {
            let exact = entries
                .exact
                .drain(..)
                .map(|(_, namespaces, entry)| (namespaces, entry));
            entries.open.extend(exact);
            entries.open.sort_by_key(|(_, entry)| entry.rule);
            entries.open.dedup_by_key(|(_, entry)| entry.rule);
        }
        entries.exact.sort_by_key(|(namespace, ..)| *namespace);
        let (open, exact) = (place(self.open.len()), place(self.exact.len()));
        self.open.extend(entries.open);
        let hashed = entries.exact.into_iter();
        self.exact
            .extend(hashed.map(|(namespace, _, entry)| (namespace, entry)));
        Rules {
            open: open..place(self.open.len()),
            exact: exact..place(self.exact.len()),
        }
    }

    /// The documents about a subject, in their order.
    #[inline]
    pub(super) fn documents(&self, subject: &Subject, documents: &[Document]) -> DocumentIds {
        let mut ids = DocumentIds::new();
        self.users.find(&subject.user, &mut ids);
        for group in &subject.groups {
            self.groups.find(group, &mut ids);
        }
        for id in &self.others {
            let document = usize::try_from(*id).ok().and_then(|id| documents.get(id));
            if document.is_some_and(|document| document.is_about(subject)) {
                ids.push(*id);
            }
        }
        in_order(&mut ids);
        ids
    }

    /// What a request is about, as the index has it.
    #[inline]
    pub(super) fn lookup<'r>(&self, asked: &Asked<'r>) -> Lookup<'r> {
        Lookup {
            resource: asked.resource.map(|resource| self.hash(resource.resource)),
            namespaces: match asked.place {
                Place::Nowhere | Place::Cluster => Namespaces::None,
                Place::Namespace(namespace) => Namespaces::One(namespace),
                // Patterns and names restrict such a request whatever they say.
                Place::AllNamespaces | Place::NamespaceObjects | Place::Unknown => Namespaces::All,
            },
            hash: Cell::new(None),
            verbs: asked.all_verbs(),
            namespace: match asked.place {
                Place::Namespace(namespace) => Beginning::of(namespace),
                _ => Beginning::UNKNOWN,
            },
            name: asked.only_name().map_or(Beginning::UNKNOWN, Beginning::of),
        }
    }

    /// The rules of a document that could be about a request, in their order.
    #[inline]
    pub(super) fn rules(&self, document: u32, lookup: &Lookup<'_>) -> RuleIds {
        let mut ids = RuleIds::new();
        let unnamed = usize::try_from(document).ok().and_then(|id| self.unnamed.get(id));
        let named = lookup
            .resource
            .and_then(|resource| self.named.get(&(document, resource)));
        // One after the other, without a list of both: most documents name the resources of all their rules.
        if let Some(rules) = unnamed.filter(|rules| !rules.is_empty()) {
            self.find(rules, lookup, &mut ids);
        }
        if let Some(rules) = named {
            self.find(rules, lookup, &mut ids);
        }
        in_order(&mut ids);
        ids
    }

    /// Adds those of some rules that could be about a request.
    fn find(&self, rules: &Rules, lookup: &Lookup<'_>, ids: &mut RuleIds) {
        for (namespaces, entry) in part(&self.open, &rules.open) {
            if namespaces.begins(lookup.namespace) & entry.may_be_about(lookup) {
                ids.push(entry.rule);
            }
        }
        if rules.exact.is_empty() {
            return;
        }
        let exact = part(&self.exact, &rules.exact);
        let exact = match lookup.namespaces {
            Namespaces::One(namespace) => {
                let hash = lookup.hash.get().unwrap_or_else(|| self.hash(namespace));
                lookup.hash.set(Some(hash));
                equal_range(exact, hash)
            }
            Namespaces::None => &[],
            Namespaces::All => exact,
        };
        for (_, entry) in exact {
            if entry.may_be_about(lookup) {
                ids.push(entry.rule);
            }
        }
    }
}

impl Rules {
    fn is_empty(&self) -> bool {
        self.open.is_empty() && self.exact.is_empty()
    }
}

impl Names {
    fn add(&mut self, name: &str, id: u32) {
        self.documents.entry(name.into()).or_default().push(id);
        self.lengths |= Self::length(name);
    }

    /// Adds the documents of a name.
    #[inline]
    fn find(&self, name: &str, ids: &mut DocumentIds) {
        if self.lengths & Self::length(name) != 0 {
            self.find_known(name, ids);
        }
    }

    fn find_known(&self, name: &str, ids: &mut DocumentIds) {
        if let Some(documents) = self.documents.get(name) {
            documents.iter().for_each(|id| ids.push(*id));
        }
    }

    /// Long ones are taken for equally long.
    fn length(name: &str) -> u64 {
        1 << name.len().min(63)
    }
}

impl Entries {
    fn add(&mut self, entry: Entry, matches: &Match, namespaces: &[u64]) {
        let start = Start::of(matches.namespaces.as_deref());
        if namespaces.is_empty() {
            self.open.push((start, entry));
        }
        self.exact
            .extend(namespaces.iter().map(|namespace| (*namespace, start, entry)));
    }
}

impl Entry {
    fn new(rule: u32, compiled: &CompiledRule) -> Self {
        let verbs = match (compiled.matches.verbs, &compiled.action) {
            (None, _) => Verbs::ALL,
            // A mask meets a change like a read.
            (Some(verbs), Action::Mask(_)) if verbs.intersects(Verbs::default().with(Verb::Get)) => Verbs::ALL,
            (Some(verbs), _) => verbs,
        };
        Self {
            rule,
            verbs,
            names: Start::of(compiled.matches.names.as_deref()),
        }
    }

    fn may_be_about(&self, lookup: &Lookup<'_>) -> bool {
        // Both at once: which of them says no can't be predicted.
        self.verbs.intersects(lookup.verbs) & self.names.begins(lookup.name)
    }
}

/// How everything starts that a list of patterns matches: up to seven bytes, and in the last one the number of their
/// bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start(u64);

impl Start {
    const MAX: usize = 7;

    fn of(globs: Option<&[Glob]>) -> Self {
        let mut prefixes = globs.unwrap_or_default().iter().map(Glob::prefix);
        let first = prefixes.next().unwrap_or_default().as_bytes();
        let common = prefixes.fold(first.len().min(Self::MAX), |common, prefix| {
            let same = first.iter().zip(prefix.as_bytes()).take_while(|(a, b)| a == b);
            same.count().min(common)
        });
        let bits = common as u64 * 8;
        Self(first_bytes(first) & mask(bits) | bits)
    }

    fn begins(self, text: Beginning) -> bool {
        (text.first ^ self.0) & mask(self.0 & 0xff) & text.known == 0
    }
}

/// How a text of a request starts; begins with everything if that is not known.
#[derive(Debug, Clone, Copy)]
struct Beginning {
    first: u64,
    /// The bits that are known.
    known: u64,
}

impl Beginning {
    const UNKNOWN: Self = Self { first: 0, known: 0 };

    fn of(text: &str) -> Self {
        Self {
            first: first_bytes(text.as_bytes()),
            known: u64::MAX,
        }
    }
}

/// As many bits, from the first.
fn mask(bits: u64) -> u64 {
    !(u64::MAX >> (bits & 0x3f))
}

/// The first eight bytes of a text as a number; what is not there is zero.
fn first_bytes(text: &[u8]) -> u64 {
    if let Some(first) = text.first_chunk() {
        return u64::from_be_bytes(*first);
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        // They overlap; so of the last four those go that are among the first four.
        let after = u64::from(u32::from_be_bytes(*last)) << (8 * (8 - text.len()));
        return u64::from(u32::from_be_bytes(*first)) << 32 | after & u64::from(u32::MAX);
    }
    let mut number = 0;
    for (byte, shift) in text.iter().zip([56, 48, 40]) {
        number |= u64::from(*byte) << shift;
    }
    number
}

fn unique(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Sorted, each once.
#[inline]
fn in_order<A: smallvec::Array<Item = u32>>(ids: &mut SmallVec<A>) {
    // Most are one, and most of a few come in order.
    if ids.len() > 1 && !ids.is_sorted_by(|a, b| a < b) {
        ids.sort_unstable();
        ids.dedup();
    }
}

/// More rules than fit a `u32` are more than fit the memory; beyond that nothing would be found.
fn place(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn part<'i, T>(all: &'i [T], range: &Range<u32>) -> &'i [T] {
    let range = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
    range.and_then(|(start, end)| all.get(start..end)).unwrap_or_default()
}

fn equal_range(sorted: &[(u64, Entry)], hash: u64) -> &[(u64, Entry)] {
    let start = sorted.partition_point(|(namespace, _)| *namespace < hash);
    let rest = sorted.split_at_checked(start).map_or(&[][..], |(_, rest)| rest);
    let len = rest.iter().take_while(|(namespace, _)| *namespace == hash).count();
    rest.split_at_checked(len).map_or(&[], |(equal, _)| equal)
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
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(26) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_are_those_of_the_text_and_zeros() {
        for len in 0..12 {
            let text = &b"abcdefghijkl"[..len];
            let mut padded = [0; 8];
            padded.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
            assert_eq!(first_bytes(text), u64::from_be_bytes(padded), "{len}");
        }
    }
}
