//! One rule: what it is about and what it asks for.

use std::sync::Arc;
use std::time::Duration;

use super::error::Problems;
use super::fields::{Fields, boolean, each, one_of, text};
use super::rewrite;
use super::values::{self, Mode};
use super::yaml::{Node, Span, Value};
use crate::policy::condition::Condition;
use crate::policy::engine::{Approver, HoldTerms, MaskPath, Pin};
use crate::policy::glob::Glob;
use crate::policy::matching::{Match, Verbs};
use crate::policy::set::{Action, CompiledRule};
use crate::request::{Effect, Effects};

const ACTIONS: [&str; 5] = ["allow", "deny", "hold", "rewrite", "mask"];
/// Most labels that a rule asks for.
const MAX_LABELS: usize = 32;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// `spec.approval`: what holds of the document leave out.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    approvers: Option<Vec<Approver>>,
    quorum: Option<u32>,
    timeout: Option<Duration>,
    pin: Option<Pin>,
}

impl Defaults {
    /// Terms that stand for those of the document that names a profile.
    pub(super) fn anybody() -> Self {
        Self {
            approvers: Some(vec![Approver::Group(String::new())]),
            ..Self::default()
        }
    }

    pub(super) fn read(node: &Node, problems: &mut Problems<'_>) -> Option<Self> {
        let before = problems.count();
        let terms = Terms::read(node, "`approval`", problems)?;
        if problems.count() > before {
            return None;
        }
        terms.check_quorum(terms.defaults.approvers.as_deref(), problems)?;
        Some(terms.defaults)
    }

    /// The terms of what a document holds without a rule that says how; none if nobody could approve it.
    pub(super) fn terms(&self, document: &str) -> Option<HoldTerms> {
        Some(HoldTerms {
            rule: document.to_owned(),
            approvers: self.approvers.clone()?,
            quorum: self.quorum.unwrap_or(1),
            timeout: self.timeout.unwrap_or(DEFAULT_TIMEOUT),
            pin: self.pin.unwrap_or(Pin::ResourceVersion),
        })
    }
}

/// What a hold or `spec.approval` says, with the places of what has to be checked together.
struct Terms {
    defaults: Defaults,
    span: Span,
    quorum: Option<Span>,
}

impl Terms {
    fn read(node: &Node, what: &'static str, problems: &mut Problems<'_>) -> Option<Self> {
        let known = ["approvers", "quorum", "timeout", "pin"];
        let fields = Fields::read(node, what, &known, &[], problems)?;
        let approvers = fields
            .get("approvers")
            .map(|node| each(node, "`approvers`", problems, approver));
        let quorum = fields.get("quorum").map(|node| quorum(node, problems));
        let timeout = fields
            .get("timeout")
            .map(|node| values::duration(node, values::TIMEOUT, problems));
        let pins = [("uid", Pin::Uid), ("resourceVersion", Pin::ResourceVersion)];
        let pin = fields.get("pin").map(|node| one_of(node, "pin", &pins, problems));
        Some(Self {
            span: node.span,
            quorum: fields.get("quorum").map(|node| node.span),
            defaults: Defaults {
                approvers: given(approvers)?,
                quorum: given(quorum)?,
                timeout: given(timeout)?,
                pin: given(pin)?,
            },
        })
    }

    /// A quorum that the named approvers can't reach would be a hold that nobody can end.
    fn check_quorum(&self, approvers: Option<&[Approver]>, problems: &mut Problems<'_>) -> Option<()> {
        let (Some(quorum), Some(span), Some(approvers)) = (self.defaults.quorum, self.quorum, approvers) else {
            return Some(());
        };
        check_quorum(quorum, approvers, span, problems)
    }
}

/// A field that may be left out but not be wrong.
pub(in crate::policy) fn given<T>(field: Option<Option<T>>) -> Option<Option<T>> {
    match field {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

pub(super) fn read(
    node: &Node,
    document: &str,
    defaults: Option<&Defaults>,
    problems: &mut Problems<'_>,
) -> Option<Vec<CompiledRule>> {
    let mut names: Vec<&str> = Vec::new();
    each(node, "`rules`", problems, |node, problems| {
        let known = [
            "name",
            "match",
            "when",
            "allow",
            "deny",
            "hold",
            "rewrite",
            "mask",
            "mode",
            "insecure_opaque_stream",
        ];
        let fields = Fields::read(node, "a rule", &known, &[], problems)?;
        let name = fields.require("name", problems).and_then(|node| {
            let name = text(node, "the name of a rule", problems)?;
            if !values::is_dns_label(name) {
                problems.add(
                    node.span,
                    format!("`{name}` is no DNS label, as the name of a rule has to be"),
                );
            } else if names.contains(&name) {
                problems.add(
                    node.span,
                    format!("there is another rule named `{name}` in this document"),
                );
            }
            names.push(name);
            Some(name)
        });
        let matches = match fields.get("match") {
            Some(node) => matches(node, problems),
            None => {
                let message = "a rule has no `match`: write `match: {}` if it is about every request";
                problems.add(Span { width: 1, ..node.span }, message);
                None
            }
        };
        let mode = fields.get("mode").map(|node| values::mode(node, problems));
        let when = fields.get("when").map(|node| when(node, problems));
        let name = format!("{document}/{}", name.unwrap_or_default());
        let action = action(node, &fields, &name, defaults, matches.as_ref(), problems)?;
        Some(CompiledRule {
            name: name.into(),
            matches: matches?,
            when: given(when)?,
            action,
            shadow: given(mode)?.unwrap_or_default() == Mode::Shadow,
            profile: false,
        })
    })
}

/// A condition in CEL.
fn when(node: &Node, problems: &mut Problems<'_>) -> Option<Condition> {
    let text = text(node, "`when`", problems)?;
    match Condition::compile(text) {
        Ok(condition) => Some(condition),
        Err(error) => {
            problems.add_inside(node.span, text, error.offset, error.message, error.suggestion);
            None
        }
    }
}

fn matches(node: &Node, problems: &mut Problems<'_>) -> Option<Match> {
    let known = ["effects", "verbs", "resources", "namespaces", "names", "labels"];
    let fields = Fields::read(node, "`match`", &known, &[], problems)?;
    let effects = fields
        .get("effects")
        .map(|node| each(node, "`effects`", problems, values::effect));
    let verbs = fields
        .get("verbs")
        .map(|node| each(node, "`verbs`", problems, values::verb));
    let resources = fields
        .get("resources")
        .map(|node| each(node, "`resources`", problems, values::resource));
    let namespaces = fields
        .get("namespaces")
        .map(|node| each(node, "`namespaces`", problems, values::namespace));
    let names = fields
        .get("names")
        .map(|node| each(node, "`names`", problems, values::name));
    let labels = fields.get("labels").map(|node| labels(node, problems));
    Some(Match {
        effects: given(effects)?.map(Effects::from_iter),
        verbs: given(verbs)?.map(Verbs::from_iter),
        resources: given(resources)?,
        namespaces: given(namespaces)?,
        names: given(names)?,
        labels: given(labels)?,
    })
}

fn labels(node: &Node, problems: &mut Problems<'_>) -> Option<Vec<(String, Glob)>> {
    let Value::Map(map) = &node.value else {
        let message = format!(
            "`labels` is a mapping, not {}: write `labels: {{ app: web }}`",
            node.value.what()
        );
        problems.add(node.span, message);
        return None;
    };
    if map.is_empty() || map.len() > MAX_LABELS {
        let message = if map.is_empty() {
            "is empty".to_owned()
        } else {
            format!("has more than {MAX_LABELS} labels")
        };
        problems.add(node.span, format!("`labels` {message}"));
        return None;
    }
    let mut labels: Vec<(String, Glob)> = Vec::new();
    let before = problems.count();
    for (key, value) in map {
        let Some(label) = values::label(key, value, problems) else {
            continue;
        };
        if labels.iter().any(|(name, _)| *name == label.0) {
            problems.add(key.span, format!("duplicate label `{}`", label.0));
        }
        labels.push(label);
    }
    (problems.count() == before).then_some(labels)
}

fn action(
    node: &Node,
    fields: &Fields<'_>,
    rule: &str,
    defaults: Option<&Defaults>,
    matches: Option<&Match>,
    problems: &mut Problems<'_>,
) -> Option<Action> {
    let mut given = ACTIONS
        .into_iter()
        .filter_map(|action| Some((action, fields.get(action)?)));
    let (Some((action, asks)), None) = (given.next(), given.next()) else {
        let message = "a rule has exactly one of `allow`, `deny`, `hold`, `rewrite` and `mask`";
        problems.add(Span { width: 1, ..node.span }, message);
        return None;
    };
    let stream = fields.get("insecure_opaque_stream");
    if let Some(stream) = stream.filter(|_| action != "allow") {
        problems.add(stream.span, "`insecure_opaque_stream` stands beside `allow` only");
    }
    match action {
        "allow" => allow(asks, stream, matches, problems),
        "deny" => deny(asks, problems),
        "hold" => hold(asks, rule, defaults?, problems).map(|terms| Action::Hold(Arc::new(terms))),
        "rewrite" => rewrite::read(asks, problems).map(Action::Rewrite),
        _ => mask(asks, problems),
    }
}

fn allow(node: &Node, stream: Option<&Node>, matches: Option<&Match>, problems: &mut Problems<'_>) -> Option<Action> {
    if !matches!(&node.value, Value::Map(map) if map.is_empty()) {
        problems.add(node.span, "there is nothing to say about an allow: write `allow: {}`");
    }
    let insecure_opaque_stream = match stream {
        Some(node) => boolean(node, "`insecure_opaque_stream`", problems)?,
        None => false,
    };
    if let (Some(stream), true, Some(matches)) = (stream, insecure_opaque_stream, matches)
        && !matches.permitted_effects().contains(Effect::Connect)
    {
        problems.add(
            stream.span,
            "`insecure_opaque_stream` does nothing in a rule whose `effects` don't list `connect`",
        );
    }
    Some(Action::Allow { insecure_opaque_stream })
}

fn deny(node: &Node, problems: &mut Problems<'_>) -> Option<Action> {
    let fields = Fields::read(node, "`deny`", &["message"], &[], problems)?;
    let message = match fields.get("message") {
        Some(node) => Some(text(node, "`message`", problems)?.into()),
        None => None,
    };
    Some(Action::Deny { message })
}

fn hold(node: &Node, rule: &str, defaults: &Defaults, problems: &mut Problems<'_>) -> Option<HoldTerms> {
    let before = problems.count();
    let terms = Terms::read(node, "`hold`", problems)?;
    if problems.count() > before {
        // A misspelt `approvers` is not missing as well.
        return None;
    }
    let Some(approvers) = terms.defaults.approvers.as_ref().or(defaults.approvers.as_ref()) else {
        let message = "nobody could approve this: name `approvers` here or in `spec.approval`";
        problems.add(Span { width: 1, ..terms.span }, message);
        return None;
    };
    let quorum = terms.defaults.quorum.or(defaults.quorum).unwrap_or(1);
    check_quorum(
        quorum,
        approvers,
        terms.quorum.unwrap_or(Span { width: 1, ..terms.span }),
        problems,
    )?;
    Some(HoldTerms {
        rule: rule.to_owned(),
        approvers: approvers.clone(),
        quorum,
        timeout: terms.defaults.timeout.or(defaults.timeout).unwrap_or(DEFAULT_TIMEOUT),
        // The strictest, where nobody chose.
        pin: terms.defaults.pin.or(defaults.pin).unwrap_or(Pin::ResourceVersion),
    })
}

fn check_quorum(quorum: u32, approvers: &[Approver], span: Span, problems: &mut Problems<'_>) -> Option<()> {
    let mut users: Vec<&str> = Vec::new();
    for approver in approvers {
        match approver {
            Approver::User(user) => users.push(user),
            // Nobody knows here how many there are in a group.
            Approver::Group(_) => return Some(()),
        }
    }
    users.sort_unstable();
    users.dedup();
    if usize::try_from(quorum).is_ok_and(|quorum| quorum <= users.len()) {
        return Some(());
    }
    let message = format!(
        "a quorum of {quorum} can't be reached: only {} named as approvers",
        count(users.len())
    );
    problems.add(span, message);
    None
}

fn count(users: usize) -> String {
    if users == 1 {
        "one user is".to_owned()
    } else {
        format!("{users} users are")
    }
}

fn quorum(node: &Node, problems: &mut Problems<'_>) -> Option<u32> {
    let quorum = match node.value {
        Value::Whole(number) => u32::try_from(number).ok().filter(|quorum| *quorum > 0),
        _ => None,
    };
    if quorum.is_none() {
        problems.add(node.span, "a quorum is a number of approvers, at least 1");
    }
    quorum
}

fn approver(node: &Node, problems: &mut Problems<'_>) -> Option<Approver> {
    let fields = Fields::read(node, "an approver", &["user", "group"], &[], problems)?;
    let (field, who): (&Node, fn(String) -> Approver) = match (fields.get("user"), fields.get("group")) {
        (Some(user), None) => (user, Approver::User),
        (None, Some(group)) => (group, Approver::Group),
        _ => {
            problems.add(node.span, "an approver is either `{ user: … }` or `{ group: … }`");
            return None;
        }
    };
    let name = text(field, "the name of an approver", problems)?;
    if name.contains('*') {
        problems.add(field.span, "approvers are named exactly: `*` has no meaning here");
        return None;
    }
    Some(who(name.to_owned()))
}

fn mask(node: &Node, problems: &mut Problems<'_>) -> Option<Action> {
    let fields = Fields::read(node, "`mask`", &["paths"], &[], problems)?;
    let paths = fields.require("paths", problems)?;
    let paths = each(paths, "`paths`", problems, |node, problems| {
        let path = text(node, "a path", problems)?.parse::<MaskPath>();
        path.map_err(|error| problems.add(node.span, error.to_string())).ok()
    })?;
    Some(Action::Mask(paths))
}
