//! `subjects`: whom a document is about.

use super::error::Problems;
use super::fields::{Fields, text};
use super::yaml::Node;
use crate::policy::glob::Glob;
use crate::policy::set::SubjectMatch;

/// Fields of a subject. `agent` is another word for `user`: an agent that embeds the guard has no other name.
const FIELDS: [&str; 4] = ["user", "agent", "group", "onBehalfOf"];

/// One entry of `subjects`: all that it names has to fit.
pub(super) fn subject(node: &Node, problems: &mut Problems<'_>) -> Option<SubjectMatch> {
    let before = problems.count();
    let fields = Fields::read(node, "a subject", &FIELDS, &[], problems)?;
    let user = match (fields.get("user"), fields.get("agent")) {
        (Some(_), Some(agent)) => {
            problems.add(agent.span, "`agent` is another word for `user`: write one of them");
            return None;
        }
        (user, agent) => user.or(agent),
    };
    let (group, on_behalf_of) = (fields.get("group"), fields.get("onBehalfOf"));
    if user.is_none() && group.is_none() && on_behalf_of.is_none() {
        if problems.count() == before {
            let message = "a subject has `user` (or `agent`), `group`, `onBehalfOf` or several of them";
            problems.add(node.span, message);
        }
        return None;
    }
    let mut glob = |node: Option<&Node>, what: &str| match node {
        None => Some(None),
        Some(node) => text(node, what, problems).map(|text| Some(Glob::new(text))),
    };
    let (user, group, on_behalf_of) = (
        glob(user, "`user`"),
        glob(group, "`group`"),
        glob(on_behalf_of, "`onBehalfOf`"),
    );
    Some(SubjectMatch {
        user: user?,
        group: group?,
        on_behalf_of: on_behalf_of?,
    })
}
