//! `profile`: shipped rules that speak where a document's own do not.
//!
//! A profile is a document in the same language, in `policy/profiles/`; only its rules are taken. Its holds take the
//! terms of `spec.approval`.

use std::sync::Arc;

use super::error::{Problems, Source};
use super::fields::one_of;
use super::rule::{self, Defaults};
use super::yaml::{self, Node};
use crate::digest::{Digest, FieldHasher};
use crate::policy::engine::HoldTerms;
use crate::policy::set::{Action, CompiledRule};

/// A shipped document whose rules others can build on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) struct Profile {
    pub(in crate::policy) name: &'static str,
    pub(in crate::policy) text: &'static str,
}

/// All of them, from the least to the most that is permitted.
pub(in crate::policy) const PROFILES: [Profile; 3] = [
    Profile {
        name: "observe",
        text: include_str!("../profiles/observe.yaml"),
    },
    Profile {
        name: "suggest",
        text: include_str!("../profiles/suggest.yaml"),
    },
    Profile {
        name: "operate",
        text: include_str!("../profiles/operate.yaml"),
    },
];

/// The profile that a document names.
pub(super) fn read(node: &Node, problems: &mut Problems<'_>) -> Option<Profile> {
    one_of(
        node,
        "profile",
        &PROFILES.map(|profile| (profile.name, profile)),
        problems,
    )
}

impl Profile {
    /// The rules, with the digest of what they are made from. What nobody could approve is noted at the place where the
    /// profile is named.
    pub(super) fn rules(
        self,
        named_at: &Node,
        approval: Option<&HoldTerms>,
        problems: &mut Problems<'_>,
    ) -> Option<(Vec<CompiledRule>, Digest)> {
        let (mut rules, digest) = match self.load() {
            Ok(loaded) => loaded,
            // A test loads all of them; if one of them is broken nevertheless, nothing is permitted by it.
            Err(message) => {
                problems.add(named_at.span, message);
                return None;
            }
        };
        for rule in &mut rules {
            let Action::Hold(terms) = &mut rule.action else {
                continue;
            };
            let Some(approval) = approval else {
                let name = self.name;
                let message = format!(
                    "`{name}` holds requests, but nobody could approve them: name `approvers` in `spec.approval`"
                );
                problems.add(named_at.span, message);
                return None;
            };
            *terms = Arc::new(HoldTerms {
                rule: rule.name.to_string(),
                ..approval.clone()
            });
        }
        Some((rules, digest))
    }

    fn load(self) -> Result<(Vec<CompiledRule>, Digest), String> {
        let mut problems = Problems::default();
        let source = Source {
            name: self.name,
            text: self.text,
        };
        problems.turn_to(source);
        let nodes = yaml::parse(source, &mut problems);
        let loaded = nodes.first().and_then(|node| {
            let mut hasher = FieldHasher::new("countersign profile v1");
            hasher.field("document", node.digest().as_bytes());
            let spec = node.get("spec")?;
            let mut rules = rule::read(spec.get("rules")?, self.name, Some(&Defaults::anybody()), &mut problems)?;
            // One profile builds on another by naming it, as any document does.
            if let Some(base) = spec.get("profile") {
                let (base, digest) = read(base, &mut problems)?.load().ok()?;
                rules.extend(base);
                hasher.field("profile", digest.as_bytes());
            }
            for rule in &mut rules {
                rule.profile = true;
            }
            Some((rules, hasher.finish()))
        });
        let message = format!("the profile `{}` of this version can't be read", self.name);
        match problems.finish() {
            Ok(_) => loaded.ok_or(message),
            Err(errors) => Err(format!("{message}: {errors}")),
        }
    }
}
