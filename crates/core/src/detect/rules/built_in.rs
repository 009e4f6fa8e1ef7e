//! The rules that come with this crate.

use super::Rules;
use super::source::{Group, RuleSource};

/// Where a rule is missing, look for a file that holds its like.
const FILES: [&str; 7] = [
    include_str!("data/cloud.yaml"),
    include_str!("data/code.yaml"),
    include_str!("data/keys.yaml"),
    include_str!("data/models.yaml"),
    include_str!("data/business.yaml"),
    include_str!("data/services.yaml"),
    include_str!("data/pii.yaml"),
];

/// All of them, as they are written.
#[expect(clippy::expect_used, reason = "a test reads them")]
pub(super) fn sources() -> Vec<RuleSource> {
    let read = |file| serde_saphyr::from_str::<Vec<RuleSource>>(file).expect("the rules of this crate are YAML");
    FILES.into_iter().flat_map(read).collect()
}

/// Those of a group.
#[expect(clippy::expect_used, reason = "a test compiles them")]
pub(super) fn of_group(group: Group) -> Rules {
    let sources = sources().into_iter().filter(|source| source.group == group).collect();
    Rules::untried(sources).expect("the rules of this crate compile")
}
