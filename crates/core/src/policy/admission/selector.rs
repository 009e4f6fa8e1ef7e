//! Label selectors in the form of objects: `matchLabels` and `matchExpressions`.

use crate::json::Value;

/// A label selector; without requirements it selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::policy) struct Selector(pub(in crate::policy) Vec<Requirement>);

/// One requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    DoesNotExist(String),
}

impl Selector {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it selects an object, by its labels.
    pub(in crate::policy) fn selects(&self, object: &Value) -> bool {
        let label = |key: &str| object.at(&["metadata", "labels", key]).and_then(Value::as_str);
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => label(key).is_some_and(|value| values.iter().any(|known| known == value)),
            Requirement::NotIn(key, values) => {
                label(key).is_none_or(|value| !values.iter().any(|known| known == value))
            }
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::DoesNotExist(key) => label(key).is_none(),
        })
    }
}
