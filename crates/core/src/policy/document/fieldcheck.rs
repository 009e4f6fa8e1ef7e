//! Fields that a condition reads, where the kind of the object is known: one that no object can have is an error.

use super::Loaded;
use super::error::{Problems, Site};
use super::yaml::Value;
use crate::policy::condition::{ConditionError, KindRef};
use crate::policy::glob::Glob;
use crate::policy::resource::{Group, ResourceSpec, Subresource};
use crate::policy::set::{Action, CompiledRule};
use crate::request::BUILT_IN;

pub(super) fn check(loaded: &[Loaded], problems: &mut Problems<'_>) {
    for Loaded { file, node, document } in loaded {
        let nodes = node.get("spec").and_then(|spec| spec.get("rules"));
        let nodes = nodes.into_iter().flat_map(|rules| rules.elements());
        for (rule, node) in document.rules.iter().zip(nodes) {
            let (Some(error), Some(when)) = (wrong(rule), node.get("when")) else {
                continue;
            };
            if let Value::Text(text) = &when.value {
                let span = problems.span_inside(*file, when.span, text, error.offset);
                problems.add_at(Site { file: *file, span }, error.message, error.suggestion);
            }
        }
    }
}

/// What is wrong for every kind that the rule is about; nothing if one of them is not known.
fn wrong(rule: &CompiledRule) -> Option<ConditionError> {
    let condition = rule.when.as_ref()?;
    let specs = rule.matches.resources.as_deref()?;
    let narrow = matches!(rule.action, Action::Allow { .. });
    let mut kinds = Vec::new();
    for spec in specs {
        kinds.extend(kinds_of(spec, narrow)?);
    }
    let mut first = None;
    for kind in kinds {
        let error = condition.check_fields(kind).err()?;
        first.get_or_insert(error);
    }
    first
}

/// The kinds of the objects that a request about the resource can send; none if that can't be told.
fn kinds_of(spec: &ResourceSpec, narrow: bool) -> Option<Vec<KindRef<'static>>> {
    let ResourceSpec::Some {
        group,
        resource: Some(resource),
        subresource: Subresource::Unsaid,
    } = spec
    else {
        return None;
    };
    let group = match group {
        Group::Core => "",
        Group::Named(glob) if glob.is_exact() => Glob::as_str(glob),
        Group::Named(_) | Group::Any => return None,
    };
    let (group, _, kind, _) = BUILT_IN.iter().find(|entry| (entry.0, entry.1) == (group, resource))?;
    let mut kinds = vec![KindRef { group, kind }];
    if !narrow {
        // Bodies of subresources.
        let more: &[(&str, &str)] = match *kind {
            "Pod" => &[("policy", "Eviction"), ("", "Binding")],
            "ServiceAccount" => &[("authentication.k8s.io", "TokenRequest")],
            _ => &[("autoscaling", "Scale")],
        };
        kinds.extend(more.iter().map(|(group, kind)| KindRef { group, kind }));
    }
    Some(kinds)
}
