//! Masking one parsed value: an object, a list, a Table, an event of a watch.

use super::metadata;
use super::obligation::{self, Place, mask_cells, mask_scalars, shown_columns};
use super::plan::{Plan, kind_of};
use super::report::Tally;
use super::rules::{self, Rules};
use super::secret::{self, Values};
use super::{marker, status};
use crate::json::{Object, Value};
use crate::policy::MaskObligation;

/// Whether an item is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// It is.
    Yes,
    /// It is left out, since it is in a hidden namespace.
    No,
}

/// Masks values of one answer and counts.
pub(super) struct Walk<'a> {
    pub(super) plan: &'a Plan,
    pub(super) tally: &'a mut Tally,
}

/// What is known of an object from what is around it.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// Field rules by the URL, by a list, by the object that an annotation is in.
    pub(super) rules: Rules,
    pub(super) policy: Policy<'a>,
    /// How many strings are around it whose JSON was unpacked.
    pub(super) level: usize,
}

/// Which obligations of the policy apply to an object.
#[derive(Clone, Copy)]
pub(super) enum Policy<'a> {
    /// Those that its name and namespace match.
    Matching,
    /// Those of the object that it is a copy of.
    Same(&'a [&'a MaskObligation]),
    /// None: it is a part of another object.
    Part,
}

impl Context<'_> {
    /// An object that answers the request.
    fn answer(plan: &Plan) -> Self {
        Self {
            rules: plan.rules(),
            policy: Policy::Matching,
            level: 0,
        }
    }

    fn also(self, rules: Rules) -> Self {
        Self {
            rules: self.rules.and(rules),
            ..self
        }
    }
}

impl Walk<'_> {
    /// Masks a whole answer, or one event of a watch.
    pub(super) fn root(&mut self, value: &mut Value) -> Keep {
        let context = Context::answer(self.plan);
        let Value::Object(object) = value else {
            self.value(value, context);
            return Keep::Yes;
        };
        let Some(event) = event_type(object) else {
            self.object(object, context);
            return Keep::Yes;
        };
        let is_bookmark = event == "BOOKMARK";
        let is_plain = object.len() == 2;
        if let Some(inner) = object.get_mut("object") {
            if let Value::Object(inner) = inner
                && !is_bookmark
                && self.leaves_out(inner)
            {
                self.tally.hidden();
                return Keep::No;
            }
            self.value(inner, context);
        }
        if !is_plain {
            // More than an event: what looks like one may be an object after all.
            detached(object, &["object"], |object| self.object(object, context));
        }
        Keep::Yes
    }

    /// Masks an element of `items`; the list's kind is what is known of it so far.
    pub(super) fn item(&mut self, value: &mut Value, list_kind: Option<&str>) -> Keep {
        let rules = list_kind.and_then(rules::item_kind).map_or(Rules::NONE, Rules::of_kind);
        self.element(value, Context::answer(self.plan).also(rules))
    }

    /// Masks an element of a Table's `rows`.
    pub(super) fn row(&mut self, value: &mut Value, shown: &[bool]) -> Keep {
        self.row_in(value, shown, Context::answer(self.plan))
    }

    /// Masks a value of which nothing but the context is known.
    pub(super) fn value(&mut self, value: &mut Value, context: Context<'_>) {
        match value {
            Value::Object(object) => self.object(object, context),
            Value::Array(elements) => {
                for element in elements {
                    self.value(element, context);
                }
            }
            // Where a Secret is expected, anything else is taken for its value.
            scalar if context.rules.secret && context.level == 0 => {
                mask_scalars(scalar, Place::Inside, marker::MARKER, "secret-data", self.tally);
            }
            _ => {}
        }
    }

    /// Masks an object by its own kind and by its context.
    pub(super) fn object(&mut self, object: &mut Object, context: Context<'_>) {
        let plan = self.plan;
        let kind = kind_of(object).map(str::to_owned);
        let is_status = kind.as_deref() == Some("Status") && matches!(context.policy, Policy::Matching);
        if is_status {
            status::mask(object, plan, self.tally);
        }
        let context = context.also(kind.as_deref().map_or(Rules::NONE, Rules::of_kind));
        let done = self.list(object, kind.as_deref(), context);

        let matching;
        let obligations: &[&MaskObligation] = match context.policy {
            // The policy's paths are about objects, not about errors.
            Policy::Matching if !is_status => {
                matching = plan.obligations_for(object);
                &matching
            }
            Policy::Same(obligations) => obligations,
            Policy::Matching | Policy::Part => &[],
        };
        let mut values = Values::default();
        let mut nothing_to_compare = false;
        if context.rules.secret {
            values.collect(object);
            metadata::collect_old_values(object, &mut values);
            let has_data = object.get("data").is_some() || object.get("stringData").is_some();
            nothing_to_compare = !has_data && !kind.as_deref().is_some_and(|kind| Rules::of_kind(kind).secret);
            secret::mask_data(object, self.tally);
        }
        let scope = metadata::Scope {
            rules: context.rules,
            obligations,
            nothing_to_compare,
            level: context.level,
        };
        if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
            self.metadata(metadata, scope, &values);
        }
        // What was masked as items of this object is not looked at again: twice per level would be without bound.
        detached(object, done, |object| {
            obligation::apply(obligations, object, context.rules, self.tally);
            for (key, member) in object.iter_mut() {
                match member {
                    Value::Object(metadata) if key == "metadata" && !has_kind(metadata) => {
                        self.children(metadata, context.level);
                    }
                    _ => self.member(key, member, context.level),
                }
            }
        });
    }

    /// Masks `items` and `rows`, if the object is a list or a Table or of no known kind. Says which it masked.
    fn list(&mut self, object: &mut Object, kind: Option<&str>, context: Context<'_>) -> &'static [&'static str] {
        let is_list = kind.is_none_or(|kind| kind.ends_with("List"));
        let is_table = kind.is_none_or(|kind| kind == "Table");
        if is_list && let Some(Value::Array(items)) = object.get_mut("items") {
            let rules = kind.and_then(rules::item_kind).map_or(Rules::NONE, Rules::of_kind);
            items.retain_mut(|item| self.element(item, context.also(rules)) == Keep::Yes);
        }
        let shown = if is_table {
            shown_columns(object.get("columnDefinitions"))
        } else {
            Vec::new()
        };
        if is_table && let Some(Value::Array(rows)) = object.get_mut("rows") {
            rows.retain_mut(|row| self.row_in(row, &shown, context) == Keep::Yes);
        }
        let is_array = |key| matches!(object.get(key), Some(Value::Array(_)));
        match (is_list && is_array("items"), is_table && is_array("rows")) {
            (true, true) => &["items", "rows"],
            (true, false) => &["items"],
            (false, true) => &["rows"],
            (false, false) => &[],
        }
    }

    fn element(&mut self, value: &mut Value, context: Context<'_>) -> Keep {
        if let Value::Object(object) = value
            && matches!(context.policy, Policy::Matching)
            && self.plan.hides(object)
        {
            self.tally.hidden();
            return Keep::No;
        }
        self.value(value, context);
        Keep::Yes
    }

    fn row_in(&mut self, row: &mut Value, shown: &[bool], context: Context<'_>) -> Keep {
        let Value::Object(row) = row else {
            self.value(row, context);
            return Keep::Yes;
        };
        let plan = self.plan;
        if matches!(context.policy, Policy::Matching) {
            let hides = match row.get("object") {
                Some(Value::Object(object)) => plan.hides(object),
                _ => plan.hides_anonymous(),
            };
            if hides {
                self.tally.hidden();
                return Keep::No;
            }
            let unknown = Object::new();
            let object = row.get("object").and_then(Value::as_object).unwrap_or(&unknown);
            let rule = plan.obligations_for(object).first().map(|obligation| &obligation.rule);
            if let (Some(rule), Some(cells)) = (rule, row.get_mut("cells")) {
                mask_cells(cells, shown, rule, self.tally);
            }
        }
        if let Some(object) = row.get_mut("object") {
            self.value(object, context);
        }
        if row
            .iter()
            .any(|(key, _)| !matches!(key, "cells" | "conditions" | "object"))
        {
            // More than a row: an element of a list that only looks like a Table.
            detached(row, &["object"], |row| self.object(row, context));
        } else {
            for (key, member) in row.iter_mut() {
                if key != "object" {
                    self.part(member, context.level);
                }
            }
        }
        Keep::Yes
    }

    /// Whether the object of an event is left out; a Table is if none of its rows may be seen.
    fn leaves_out(&self, object: &Object) -> bool {
        if kind_of(object) != Some("Table") {
            return self.plan.hides(object);
        }
        let rows = object.get("rows").and_then(Value::as_array).unwrap_or_default();
        let hides = |row: &Value| match row.get("object") {
            Some(Value::Object(object)) => self.plan.hides(object),
            _ => self.plan.hides_anonymous(),
        };
        !rows.is_empty() && rows.iter().all(hides)
    }

    /// Masks the objects inside an object.
    fn children(&mut self, object: &mut Object, level: usize) {
        for (key, member) in object.iter_mut() {
            self.member(key, member, level);
        }
    }

    fn member(&mut self, key: &str, member: &mut Value, level: usize) {
        match member {
            // Custom resources that make Secrets keep what goes into them below `template`.
            Value::Object(template)
                if key == "template" && (template.get("data").is_some() || template.get("stringData").is_some()) =>
            {
                self.object(template, Context::part(level).also(Rules::of_kind("Secret")));
            }
            // The metadata of a part, such as a pod template, that is no object with a kind itself.
            Value::Object(metadata) if key == "metadata" && !has_kind(metadata) => {
                let scope = metadata::Scope {
                    level,
                    ..metadata::Scope::default()
                };
                self.metadata(metadata, scope, &Values::default());
                self.children(metadata, level);
            }
            _ => self.part(member, level),
        }
    }

    fn part(&mut self, value: &mut Value, level: usize) {
        match value {
            Value::Object(object) if has_kind(object) => self.object(object, Context::part(level)),
            Value::Object(object) => self.children(object, level),
            Value::Array(elements) => {
                for element in elements {
                    self.part(element, level);
                }
            }
            _ => {}
        }
    }
}

impl Context<'_> {
    fn part(level: usize) -> Self {
        Self {
            rules: Rules::NONE,
            policy: Policy::Part,
            level,
        }
    }
}

/// Does something with an object while some of its members are put aside.
fn detached<R>(object: &mut Object, keys: &[&str], act: impl FnOnce(&mut Object) -> R) -> R {
    let aside: Vec<(&str, Value)> = keys
        .iter()
        .filter_map(|key| Some((*key, std::mem::replace(object.get_mut(key)?, Value::Null))))
        .collect();
    let result = act(object);
    for (key, value) in aside {
        if let Some(place) = object.get_mut(key) {
            *place = value;
        }
    }
    result
}

fn has_kind(object: &Object) -> bool {
    kind_of(object).is_some()
}

/// The type of a watch event, if the object is one.
pub(super) fn event_type(object: &Object) -> Option<&str> {
    let event = object.get("type")?.as_str()?;
    let is_event =
        object.get("object").is_some() && matches!(event, "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR");
    is_event.then_some(event)
}
