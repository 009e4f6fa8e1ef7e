//! Many sources, one policy: which version of each is in force.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use countersign_core::policy::{LoadErrors, PolicySet};

/// Names and texts.
pub(super) type Texts = BTreeMap<String, String>;

/// Remembers the last good version of each source.
#[derive(Debug, Default)]
pub(super) struct Composer {
    /// What is in force.
    good: Texts,
    begun: bool,
}

/// What came of putting sources together.
#[derive(Debug)]
pub(super) struct Composed {
    /// The policy to be in force; none if it is not to change.
    pub(super) policy: Option<PolicySet>,
    /// What is wrong, by source.
    pub(super) refused: BTreeMap<String, Refused>,
}

/// A source that is not in force as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) errors: String,
    /// An older version of it stays in force.
    pub(super) kept: bool,
}

impl Composer {
    /// Whether any policy came into force.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Puts sources together. Each that is wrong stays at its last good version, and so does one that contradicts what is
    /// in force. At the beginning there are no good versions, and all have to be right.
    pub(super) fn compose(&mut self, now: &Texts) -> Composed {
        let mut errors: BTreeMap<String, String> = BTreeMap::new();
        let mut dropped = BTreeSet::new();
        loop {
            let chosen = self.choose(now, &errors, &dropped);
            match PolicySet::from_yaml(&chosen) {
                Ok(policy) => {
                    let kept: BTreeSet<_> = chosen.iter().map(|(file, _)| file.to_string()).collect();
                    let refused: BTreeMap<_, _> = errors
                        .into_iter()
                        .map(|(file, errors)| {
                            let kept = kept.contains(&file);
                            (file, Refused { errors, kept })
                        })
                        .collect();
                    if !self.begun && !refused.is_empty() {
                        return Composed { policy: None, refused };
                    }
                    self.good = chosen
                        .into_iter()
                        .map(|(file, text)| (file.to_owned(), text.to_owned()))
                        .collect();
                    self.begun = true;
                    return Composed {
                        policy: Some(policy),
                        refused,
                    };
                }
                Err(wrong) => {
                    let before = (errors.len(), dropped.len());
                    for (file, text) in by_file(&wrong) {
                        match errors.entry(file) {
                            // Its last good version does not fit what the others are now.
                            Entry::Occupied(known) => {
                                dropped.insert(known.key().clone());
                            }
                            Entry::Vacant(new) => {
                                new.insert(text);
                            }
                        }
                    }
                    if before == (errors.len(), dropped.len()) {
                        // Nobody to blame: what is in force stays.
                        let refused = now.keys().map(|file| {
                            let refused = Refused {
                                errors: wrong.to_string(),
                                kept: self.good.contains_key(file),
                            };
                            (file.clone(), refused)
                        });
                        return Composed {
                            policy: None,
                            refused: refused.collect(),
                        };
                    }
                }
            }
        }
    }

    /// What is in force already comes first, so that of two that contradict each other the newcomer is to blame.
    fn choose<'a>(
        &'a self,
        now: &'a Texts,
        errors: &BTreeMap<String, String>,
        dropped: &BTreeSet<String>,
    ) -> Vec<(&'a str, &'a str)> {
        let mut chosen: Vec<(bool, &str, &str)> = Vec::with_capacity(now.len());
        for (file, text) in now {
            let good = self.good.get(file);
            let text = match errors.contains_key(file) {
                false => text,
                true if dropped.contains(file) => continue,
                true => match good {
                    Some(good) => good,
                    None => continue,
                },
            };
            chosen.push((good != Some(text), file, text));
        }
        chosen.sort();
        chosen.into_iter().map(|(_, file, text)| (file, text)).collect()
    }
}

fn by_file(errors: &LoadErrors) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for error in errors.errors() {
        let text = files.entry(error.file.clone()).or_default();
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&error.to_string());
    }
    files
}

#[cfg(test)]
mod tests {
    use countersign_core::policy::PolicyEngine as _;

    use super::*;

    fn document(name: &str, effect: &str) -> String {
        format!(
            "apiVersion: countersign.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec:\n  subjects: [{{ group: \
             agents }}]\n  scopes: [{{ namespaces: [a] }}]\n  rules: [{{ name: look, match: {{ effects: [{effect}] }}, \
             allow: {{}} }}]\n"
        )
    }

    fn texts(files: &[(&str, &str, &str)]) -> Texts {
        files
            .iter()
            .map(|(file, name, effect)| ((*file).to_owned(), document(name, effect)))
            .collect()
    }

    fn revision(files: &[(&str, &str, &str)]) -> String {
        let sources: Vec<_> = texts(files).into_iter().collect();
        PolicySet::from_yaml(&sources).unwrap().revision().to_string()
    }

    #[track_caller]
    fn in_force(composed: &Composed, files: &[(&str, &str, &str)]) {
        let policy = composed.policy.as_ref().unwrap();
        assert_eq!(policy.revision().to_string(), revision(files));
    }

    #[test]
    fn at_the_beginning_all_have_to_be_right() {
        let mut composer = Composer::default();
        let broken = composer.compose(&texts(&[("a", "a", "read"), ("b", "b", "rea")]));
        assert!(broken.policy.is_none() && !composer.has_begun());
        assert_eq!(broken.refused.keys().collect::<Vec<_>>(), ["b"]);
        assert!(
            broken.refused["b"].errors.starts_with("b:7:44: unknown effect `rea`"),
            "{broken:?}"
        );
        let right = composer.compose(&texts(&[("a", "a", "read"), ("b", "b", "log")]));
        in_force(&right, &[("a", "a", "read"), ("b", "b", "log")]);
        assert!(composer.has_begun() && right.refused.is_empty());
    }

    #[test]
    fn what_is_wrong_stays_at_its_last_good_version_and_the_others_go_on() {
        let mut composer = Composer::default();
        composer.compose(&texts(&[("a", "a", "read"), ("b", "b", "read")]));
        let composed = composer.compose(&texts(&[("a", "a", "log"), ("b", "b", "rea"), ("c", "c", "rea")]));
        in_force(&composed, &[("a", "a", "log"), ("b", "b", "read")]);
        let kept: Vec<_> = composed
            .refused
            .iter()
            .map(|(file, refused)| (file.as_str(), refused.kept))
            .collect();
        assert_eq!(kept, [("b", true), ("c", false)]);
        // Gone is gone, good or not.
        let composed = composer.compose(&texts(&[("a", "a", "log")]));
        in_force(&composed, &[("a", "a", "log")]);
        in_force(&composer.compose(&Texts::new()), &[]);
    }

    #[test]
    fn of_two_of_one_name_the_newcomer_is_to_blame() {
        let mut composer = Composer::default();
        composer.compose(&texts(&[("m", "same", "read")]));
        for newcomer in ["a", "z"] {
            let composed = composer.compose(&texts(&[("m", "same", "read"), (newcomer, "same", "log")]));
            in_force(&composed, &[("m", "same", "read")]);
            assert_eq!(composed.refused.keys().collect::<Vec<_>>(), [newcomer]);
            assert!(
                composed.refused[newcomer]
                    .errors
                    .contains("there is another document named `same`")
            );
        }
    }

    #[test]
    fn a_last_good_version_that_no_longer_fits() {
        let mut composer = Composer::default();
        composer.compose(&texts(&[("a", "x", "read"), ("b", "y", "read")]));
        // Names are swapped, but one half of it is broken: the other half has to wait.
        let composed = composer.compose(&texts(&[("a", "y", "rea"), ("b", "x", "read")]));
        in_force(&composed, &[("a", "x", "read"), ("b", "y", "read")]);
        assert!(composed.refused.values().all(|refused| refused.kept));
        let composed = composer.compose(&texts(&[("a", "y", "read"), ("b", "x", "read")]));
        in_force(&composed, &[("a", "y", "read"), ("b", "x", "read")]);
    }
}
