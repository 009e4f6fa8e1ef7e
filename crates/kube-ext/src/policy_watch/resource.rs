//! The custom resource, and the objects that hold policies.

use kube::api::{ApiResource, DynamicObject};
use serde_json::{Value, json};

/// The CustomResourceDefinition of `CountersignPolicy`, as YAML to be applied.
pub const COUNTERSIGN_POLICY_CRD: &str = include_str!("../../manifests/countersignpolicies.yaml");

/// Label of the ConfigMaps that hold policies.
pub(super) const LABEL: &str = "countersign.dev/policy=true";

const GROUP: &str = "countersign.dev";
const VERSION: &str = "v1alpha1";

/// The custom resource `CountersignPolicy` of `countersign.dev/v1alpha1`.
#[must_use]
pub fn countersign_policy() -> ApiResource {
    ApiResource {
        group: GROUP.into(),
        version: VERSION.into(),
        api_version: format!("{GROUP}/{VERSION}"),
        kind: "CountersignPolicy".into(),
        plural: "countersignpolicies".into(),
    }
}

pub(super) fn config_map() -> ApiResource {
    ApiResource {
        group: String::new(),
        version: "v1".into(),
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        plural: "configmaps".into(),
    }
}

/// What holds policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder {
    ConfigMap,
    Custom,
}

impl Holder {
    pub(super) fn resource(self) -> ApiResource {
        match self {
            Self::ConfigMap => config_map(),
            Self::Custom => countersign_policy(),
        }
    }

    /// The policies in an object, with names that errors call them by.
    pub(super) fn sources(self, object: &DynamicObject) -> Vec<(String, String)> {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        match self {
            Self::ConfigMap => {
                let data = object.data.get("data").and_then(Value::as_object);
                let texts = data.into_iter().flatten();
                texts
                    .filter(|(key, _)| key.ends_with(".yaml") || key.ends_with(".yml"))
                    .filter_map(|(key, text)| Some((format!("configmaps/{name}/{key}"), text.as_str()?.to_owned())))
                    .collect()
            }
            Self::Custom => vec![(custom_file(name), document(name, object.data.get("spec")))],
        }
    }
}

/// What errors call a custom resource.
pub(super) fn custom_file(name: &str) -> String {
    format!("countersignpolicies/{name}")
}

/// The policy document that a custom resource stands for. JSON, which is YAML: every line of it is in what
/// `kubectl get -o json` shows.
fn document(name: &str, spec: Option<&Value>) -> String {
    let document = json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": "Policy",
        "metadata": { "name": name },
        "spec": spec.unwrap_or(&Value::Null),
    });
    // Writing a value to a string can't fail.
    serde_json::to_string_pretty(&document).unwrap_or_default()
}
