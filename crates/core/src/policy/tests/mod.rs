//! Subject × request → outcome and fired rules, as tables.

mod explain;
mod index;
mod matching;
mod outcomes;
mod profiles;
mod properties;
mod scopes;

use jiff::Timestamp;

use super::*;
use crate::request::{Attributes, Canonical, Effect, Effects, Kind, Origin, Verb};
use crate::subject::Subject;

/// A request from `delete pods/web-0 in team-a`, `list deployments.apps in *` (all namespaces), `get nodes/n1` or
/// `get /version`, with these effects.
fn ask(text: &str, effects: &str) -> Canonical {
    let effects: Effects = effects
        .split(' ')
        .map(|name| *Effect::ALL.iter().find(|effect| effect.as_str() == name).expect(name))
        .collect();
    let (verb, rest) = text.split_once(' ').unwrap();
    let verb = super::matching::Verbs::LISTED
        .into_iter()
        .find(|known| known.as_str() == verb)
        .unwrap_or(Verb::Head);
    let mut attributes = Attributes {
        is_resource_request: !rest.starts_with('/'),
        verb,
        api_prefix: "",
        api_group: Default::default(),
        api_version: "v1".into(),
        namespace: Default::default(),
        resource: Default::default(),
        subresource: Default::default(),
        name: Default::default(),
        before_resource: 0,
        field_selector: Default::default(),
        label_selector: Default::default(),
        path: rest.into(),
    };
    if !attributes.is_resource_request {
        return Canonical::for_test(attributes, effects, None);
    }
    let (object, namespace) = rest
        .split_once(" in ")
        .map_or((rest, None), |(object, ns)| (object, Some(ns)));
    let mut parts = object.split('/');
    let main = parts.next().unwrap();
    let (resource, group) = main.split_once('.').unwrap_or((main, ""));
    attributes.resource = resource.into();
    attributes.api_group = group.into();
    attributes.name = parts.next().unwrap_or_default().into();
    attributes.subresource = parts.next().unwrap_or_default().into();
    attributes.namespace = match namespace {
        Some("*") => Default::default(),
        Some(namespace) => namespace.into(),
        None if main == "namespaces" => attributes.name.clone(),
        None => Default::default(),
    };
    let kind = Kind {
        group: group.into(),
        resource: resource.into(),
        kind: "Thing".into(),
        namespaced: namespace.is_some(),
        origin: Origin::BuiltIn,
        columns: Default::default(),
    };
    Canonical::for_test(attributes, effects, Some(kind))
}

fn document(name: &str, spec: &str) -> String {
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    format!("apiVersion: countersign.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec:\n{spec}")
}

/// One document named `p`, about everybody, everywhere.
fn rules(rules: &[&str]) -> PolicySet {
    let rules: String = rules.iter().map(|rule| format!("- {rule}\n")).collect();
    let everywhere = "subjects: [{ user: \"*\" }]\nscopes: [{ namespaces: [\"*\"], clusterScoped: true }]";
    load(&[&document("p", &format!("{everywhere}\nrules:\n{rules}"))])
}

fn load(documents: &[&str]) -> PolicySet {
    let sources: Vec<(String, &str)> = documents
        .iter()
        .enumerate()
        .map(|(index, text)| (format!("{index}.yaml"), *text))
        .collect();
    PolicySet::from_yaml(&sources).unwrap_or_else(|errors| panic!("{errors}"))
}

fn agent() -> Subject {
    Subject::new("agent-7").with_group("agents")
}

fn verdict(policy: &PolicySet, request: &Canonical) -> Verdict {
    match policy.evaluate(&agent(), request, &Facts::default(), Timestamp::UNIX_EPOCH) {
        Evaluation::Verdict(verdict) => verdict,
        Evaluation::Needs(needs) => panic!("{needs:?}"),
    }
}

/// `allow p/a`: the outcome, and the rules that fired.
fn told(verdict: &Verdict) -> String {
    let fired: Vec<&str> = verdict.fired.iter().map(|rule| &*rule.name).collect();
    format!("{} {}", verdict.outcome.as_str(), fired.join(" "))
        .trim_end()
        .to_owned()
}

/// What the caller is told: message and remedy.
fn refused(policy: &PolicySet, request: &Canonical) -> String {
    match verdict(policy, request).outcome {
        Outcome::Deny(denial) => {
            let message = denial.message(&agent(), request);
            let remedy = denial.remedy(request);
            remedy.map_or_else(|| message.clone(), |remedy| format!("{message} ({remedy})"))
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn table(policy: &PolicySet, rows: &[(&str, &str, &str)]) {
    for (request, effects, expected) in rows {
        let verdict = verdict(policy, &ask(request, effects));
        assert_eq!(told(&verdict), *expected, "{request} ({effects}): {verdict:#?}");
    }
}
