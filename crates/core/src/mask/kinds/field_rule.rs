//! Fields that a policy adds to the table.

use serde::Serialize;

use super::Treatment;
use crate::policy::MaskPath;

/// A field of a kind of object, to be masked beside those that always are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldRule {
    /// The kind.
    pub kind: String,
    /// Groups that the kind is in, empty for core; of any group if there are none.
    pub groups: Vec<String>,
    /// Where the values are, from the object's root. `*` stands for every member; arrays are looked through.
    pub path: MaskPath,
    /// What becomes of them.
    pub treatment: FieldTreatment,
    /// Why, for whoever reads the policy.
    pub why: Option<String>,
}

impl FieldRule {
    /// Whether it is about a kind of a group. Kinds count by name, whatever the case.
    #[must_use]
    pub fn is_about(&self, group: &str, kind: &str) -> bool {
        let in_group = self.groups.is_empty() || self.groups.iter().any(|known| known == group);
        in_group && self.kind.eq_ignore_ascii_case(kind)
    }
}

/// What becomes of the values at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub enum FieldTreatment {
    /// Every scalar there is masked.
    Mask,
    /// The same, where the field is base64: the marker is too, so that typed clients decode it.
    MaskBase64,
    /// Masked is what looks like a secret, or has the name of one.
    Scan,
}

impl FieldTreatment {
    /// All of them, with their names in policies.
    pub const ALL: [(&'static str, Self); 3] = [
        ("mask", Self::Mask),
        ("mask-base64", Self::MaskBase64),
        ("scan", Self::Scan),
    ];
}

/// A rule that can't be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` identifies the object, and is never masked")]
pub struct FieldRuleError {
    /// Which of the rules.
    pub rule: usize,
    path: String,
}

impl From<FieldTreatment> for Treatment {
    fn from(treatment: FieldTreatment) -> Self {
        match treatment {
            FieldTreatment::Mask => Self::Whole,
            FieldTreatment::MaskBase64 => Self::Base64,
            FieldTreatment::Scan => Self::Scan,
        }
    }
}

impl FieldRule {
    pub(super) fn check(&self, index: usize) -> Result<(), FieldRuleError> {
        let path = self.path.segments();
        let first = path.first().map(String::as_str);
        let second = path.get(1).map(String::as_str);
        let identifies = match first {
            Some("kind" | "apiVersion") => true,
            Some("metadata") => matches!(
                second,
                Some("name" | "namespace" | "generateName" | "uid" | "resourceVersion")
            ),
            _ => false,
        };
        if identifies {
            return Err(FieldRuleError {
                rule: index,
                path: String::from(self.path.clone()),
            });
        }
        Ok(())
    }
}
