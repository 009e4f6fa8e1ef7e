//! From YAML to cases, or to everything that is wrong with it.

use std::sync::Arc;

use jiff::Timestamp;

use super::request;
use super::spec::{Case, Expect};
use crate::policy::document::error::{LoadErrors, Problems, Site};
use crate::policy::document::fields::{Fields, each, each_of_any, one_of, text};
use crate::policy::document::rule::given;
use crate::policy::document::values::{effect, is_dns_label};
use crate::policy::document::yaml::{self, Node, Span, Value};
use crate::policy::document::{API_VERSION, exactly};
use crate::policy::glob::Glob;
use crate::request::{Effects, Live};
use crate::subject::Subject;

/// The kind of these documents.
const KIND: &str = "PolicyTest";
/// Fields of `spec`.
const SPEC: [&str; 2] = ["subject", "cases"];
/// Fields of a case.
const CASE: [&str; 7] = ["name", "subject", "request", "live", "namespaceObject", "now", "expect"];
/// Fields of a subject.
const SUBJECT: [&str; 4] = ["user", "groups", "onBehalfOf", "session"];
/// Fields of `expect`.
const EXPECT: [&str; 7] = ["outcome", "rule", "effects", "message", "rewrites", "masks", "shadow"];

pub(super) fn load<'s>(sources: impl Iterator<Item = (&'s str, &'s str)>) -> Result<Vec<Case>, LoadErrors> {
    let mut problems = Problems::default();
    let mut cases = Vec::new();
    let nothing = "there is no policy test in this file";
    yaml::parse_all(sources, nothing, &mut problems, |node, problems| {
        cases.extend(document(&node, problems).unwrap_or_default());
    });
    problems.finish()?;
    Ok(cases)
}

fn document(node: &Node, problems: &mut Problems<'_>) -> Option<Vec<Case>> {
    let fields = Fields::read(
        node,
        "a policy test",
        &["apiVersion", "kind", "metadata", "spec"],
        &[],
        problems,
    )?;
    exactly(
        fields.require("apiVersion", problems),
        "apiVersion",
        API_VERSION,
        problems,
    );
    exactly(fields.require("kind", problems), "kind", KIND, problems);
    let metadata = fields.require("metadata", problems);
    let suite = metadata.and_then(|node| {
        let fields = Fields::read(node, "`metadata`", &["name"], &[], problems)?;
        let node = fields.require("name", problems)?;
        let name = text(node, "the name of a document", problems)?;
        if !is_dns_label(name) {
            problems.add(node.span, format!("`{name}` is no DNS label"));
        }
        Some(name)
    });
    let spec = fields.require("spec", problems)?;
    let fields = Fields::read(spec, "`spec`", &SPEC, &[], problems)?;
    let subject = fields.get("subject").map(|node| self::subject(node, problems));
    let mut names: Vec<&str> = Vec::new();
    let cases = fields.require("cases", problems)?;
    each(cases, "`cases`", problems, |node, problems| {
        let fields = Fields::read(node, "a case", &CASE, &[], problems)?;
        let name = fields.require("name", problems).and_then(|node| {
            let name = text(node, "the name of a case", problems)?;
            if names.contains(&name) {
                problems.add(
                    node.span,
                    format!("there is another case named `{name}` in this document"),
                );
            }
            names.push(name);
            Some(name)
        });
        let subject = match (fields.get("subject"), &subject) {
            (Some(node), _) => self::subject(node, problems),
            (None, Some(subject)) => subject.clone(),
            (None, None) => {
                let message = "a case has no `subject`, and `spec` has none either";
                problems.add(Span { width: 1, ..node.span }, message);
                None
            }
        };
        let request = fields.require("request", problems);
        let request = request.and_then(|node| request::read(node, problems));
        let live = fields.get("live").map(|node| live(node, problems));
        let namespace = fields.get("namespaceObject").map(|node| self::live(node, problems));
        let now = fields.get("now").map(|node| time(node, problems));
        let expect = fields.require("expect", problems);
        let expect = expect.and_then(|node| self::expect(node, problems));
        let place = problems.place(Site {
            file: problems.file(),
            span: node.span,
        });
        Some(Case {
            place,
            suite: suite?.to_owned(),
            name: name?.to_owned(),
            subject: subject?,
            request: request?,
            live: given(live)?,
            namespace: given(namespace)?,
            now: given(now)?.unwrap_or(Timestamp::UNIX_EPOCH),
            expect: expect?,
        })
    })
}

fn subject(node: &Node, problems: &mut Problems<'_>) -> Option<Subject> {
    let fields = Fields::read(node, "a subject", &SUBJECT, &[], problems)?;
    let user = fields.require("user", problems);
    let user = user.and_then(|node| text(node, "`user`", problems));
    let groups = fields.get("groups").map(|node| {
        each_of_any(node, "`groups`", problems, |node, problems| {
            Some(text(node, "a group", problems)?.to_owned())
        })
    });
    let mut optional = |name: &str| {
        let node = fields.get(name)?;
        Some(text(node, &format!("`{name}`"), problems).map(ToOwned::to_owned))
    };
    let (on_behalf_of, session) = (optional("onBehalfOf"), optional("session"));
    let mut subject = Subject::new(user?);
    subject.groups = given(groups)?.unwrap_or_default();
    subject.on_behalf_of = given(on_behalf_of)?;
    subject.session = given(session)?;
    Some(subject)
}

fn live(node: &Node, problems: &mut Problems<'_>) -> Option<Live> {
    match &node.value {
        Value::Map(_) => Some(Live::Object(Arc::new(node.json(problems)?))),
        Value::Text(text) if text == "absent" => Some(Live::Absent),
        Value::Text(text) if text == "unreadable" => Some(Live::Unreadable),
        other => {
            let message = format!("this is an object, `absent`, or `unreadable`, not {}", other.what());
            problems.add(node.span, message);
            None
        }
    }
}

fn time(node: &Node, problems: &mut Problems<'_>) -> Option<Timestamp> {
    let parsed = text(node, "a time", problems)?.parse();
    if parsed.is_err() {
        problems.add(node.span, "a time is written as `2026-03-01T09:00:00Z`");
    }
    parsed.ok()
}

fn expect(node: &Node, problems: &mut Problems<'_>) -> Option<Expect> {
    let fields = Fields::read(node, "`expect`", &EXPECT, &[], problems)?;
    let outcomes = ["allow", "deny", "hold"].map(|outcome| (outcome, outcome));
    let outcome = fields.require("outcome", problems);
    let outcome = outcome.and_then(|node| one_of(node, "outcome", &outcomes, problems));
    let rule = fields.get("rule").map(|node| rule_name(node, problems));
    let effects = fields
        .get("effects")
        .map(|node| each_of_any(node, "`effects`", problems, effect));
    let message = fields
        .get("message")
        .map(|node| text(node, "`message`", problems).map(Glob::new));
    let mut names = |name: &str| {
        let node = fields.get(name)?;
        let mut names = each_of_any(node, &format!("`{name}`"), problems, rule_name);
        if let Some(names) = &mut names {
            names.sort_unstable();
        }
        Some(names)
    };
    let (rewrites, masks, shadow) = (names("rewrites"), names("masks"), names("shadow"));
    Some(Expect {
        outcome: outcome?,
        rule: given(rule)?,
        effects: given(effects)?.map(Effects::from_iter),
        message: given(message)?,
        rewrites: given(rewrites)?,
        masks: given(masks)?,
        shadow: given(shadow)?,
    })
}

fn rule_name(node: &Node, problems: &mut Problems<'_>) -> Option<String> {
    let name = text(node, "a rule", problems)?;
    if !name.contains('/') {
        problems.add(node.span, "a rule is named with its document: `document/rule`");
        return None;
    }
    Some(name.to_owned())
}
