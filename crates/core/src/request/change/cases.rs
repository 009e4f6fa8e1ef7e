//! How the tests of the rules ask and what they compare.

use super::Finding;
use super::states::{Before, States};
use crate::json::Value;
use crate::request::attributes::{Attributes, Verb};

/// What there was before, in a test.
#[derive(Debug, Clone, Copy)]
pub(super) enum Was<'a> {
    Nothing,
    NotRead,
    Unknown,
    Seen(&'a str),
}

pub(super) fn states(was: &Was<'_>, after: &str) -> States {
    States {
        before: match was {
            Was::Nothing => Before::Nothing,
            Was::NotRead => Before::NotRead,
            Was::Unknown => Before::Unknown,
            Was::Seen(before) => Before::Seen(Value::parse(before.as_bytes()).unwrap()),
        },
        after: Value::parse(after.as_bytes()).unwrap(),
    }
}

/// What a rule finds, a line for each.
pub(super) fn found(was: &Was<'_>, after: &str, rule: impl FnOnce(&States, &mut Vec<Finding>)) -> Vec<String> {
    let mut out = Vec::new();
    rule(&states(was, after), &mut out);
    out.iter().map(line).collect()
}

pub(super) fn line(finding: &Finding) -> String {
    let mut line = format!("{} {}", finding.concern, finding.path);
    if let Some(value) = &finding.value {
        line.push(' ');
        line.push_str(value);
    }
    if finding.assumed {
        line.push_str(" (assumed)");
    }
    line
}

impl Attributes {
    pub(super) fn for_test(verb: Verb, group: &str, resource: &str) -> Self {
        let mut attributes = Self::non_resource(verb, Default::default());
        attributes.is_resource_request = true;
        attributes.api_group = group.to_owned().into();
        attributes.resource = resource.to_owned().into();
        attributes
    }
}
