//! `budgets`: how much of something a subject may do in a while.

use std::sync::Arc;

use super::error::Problems;
use super::fields::{Fields, each, one_of, text, whole};
use super::values;
use super::yaml::Node;
use crate::policy::budget::{Budget, Unit};
use crate::request::Effects;

const FIELDS: [&str; 5] = ["name", "effects", "count", "max", "per"];

pub(super) fn read(node: &Node, document: &str, problems: &mut Problems<'_>) -> Option<Vec<Arc<Budget>>> {
    let mut names: Vec<&str> = Vec::new();
    each(node, "`budgets`", problems, |node, problems| {
        let fields = Fields::read(node, "a budget", &FIELDS, &[], problems)?;
        let name = fields.require("name", problems).and_then(|node| {
            let name = text(node, "the name of a budget", problems)?;
            if !values::is_dns_label(name) {
                problems.add(
                    node.span,
                    format!("`{name}` is no DNS label, as the name of a budget has to be"),
                );
            } else if names.contains(&name) {
                problems.add(
                    node.span,
                    format!("there is another budget named `{name}` in this document"),
                );
            }
            names.push(name);
            Some(name)
        });
        let effects = fields.require("effects", problems);
        let effects = effects.and_then(|node| each(node, "`effects`", problems, values::effect));
        let units = [("requests", Unit::Requests), ("objects", Unit::Objects)];
        let unit = fields.require("count", problems);
        let unit = unit.and_then(|node| one_of(node, "unit", &units, problems));
        let max = fields.require("max", problems);
        // Nothing at all is what a deny says.
        let max = max.and_then(|node| whole(node, "`max`", 1, problems));
        let per = fields.require("per", problems);
        let per = per.and_then(|node| values::duration(node, values::WINDOW, problems));
        Some(Arc::new(Budget {
            name: format!("{document}/{}", name?),
            effects: Effects::from_iter(effects?),
            unit: unit?,
            max: max?,
            per: per?,
        }))
    })
}
