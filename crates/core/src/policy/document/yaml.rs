//! YAML as a tree in which everything knows its place. What could make two readers differ is refused: duplicate keys
//! (by whoever reads the tree), anchors, aliases, merge keys and tags.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Location, Spanned};

use super::error::{Problems, Source};
use crate::digest::{Digest, FieldHasher};
use crate::json;

/// No policy is that large; a mistaken file may be.
const MAX_BYTES: usize = 1024 * 1024;

/// Most keys of one object that a policy writes: an object of ours is filled in the square of its length.
const MAX_KEYS: usize = 1000;

const TOO_LARGE: &str = "this is too large or too deep for a policy";

/// Where something stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) struct Span {
    /// Line, from 1.
    pub(in crate::policy) line: usize,
    /// Column in characters, from 1.
    pub(in crate::policy) column: usize,
    /// Characters from there on.
    pub(in crate::policy) width: usize,
}

impl Span {
    pub(in crate::policy) const START: Self = Self {
        line: 1,
        column: 1,
        width: 1,
    };
}

impl From<Location> for Span {
    fn from(location: Location) -> Self {
        let size = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Self {
            line: size(location.line()).max(1),
            column: size(location.column()).max(1),
            width: size(location.span().len()).max(1),
        }
    }
}

/// A value and its place.
#[derive(Debug)]
pub(in crate::policy) struct Node {
    pub(in crate::policy) span: Span,
    pub(in crate::policy) value: Value,
}

/// What YAML can say.
#[derive(Debug)]
pub(in crate::policy) enum Value {
    Null,
    Bool(bool),
    Whole(i64),
    /// A number that is not whole, or too large; its text.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// Digest of what is said, whatever the order of fields, the layout and the comments.
    pub(in crate::policy) fn digest(&self) -> Digest {
        let mut hasher = FieldHasher::new("countersign policy document v1");
        match &self.value {
            Value::Null => hasher.field("null", ""),
            Value::Bool(value) => hasher.field("bool", value.to_string()),
            Value::Whole(value) => hasher.field("whole", value.to_string()),
            Value::Number(text) => hasher.field("number", text),
            Value::Text(text) => hasher.field("text", text),
            Value::List(list) => {
                hasher.field("list", "");
                for element in list {
                    hasher.field("element", element.digest().as_bytes());
                }
                &mut hasher
            }
            Value::Map(map) => {
                let mut fields: Vec<_> = map.iter().map(|(key, value)| (key.digest(), value.digest())).collect();
                fields.sort_unstable();
                hasher.field("map", "");
                for (key, value) in &fields {
                    hasher.field("key", key.as_bytes()).field("value", value.as_bytes());
                }
                &mut hasher
            }
        };
        hasher.finish()
    }
}

impl Node {
    /// The value of a field, if this is a mapping that has it.
    pub(in crate::policy) fn get(&self, field: &str) -> Option<&Self> {
        let Value::Map(map) = &self.value else { return None };
        let is_field = |key: &Self| matches!(&key.value, Value::Text(name) if name == field);
        map.iter().find(|(key, _)| is_field(key)).map(|(_, value)| value)
    }

    /// The elements, if this is a list.
    pub(in crate::policy) fn elements(&self) -> &[Self] {
        match &self.value {
            Value::List(list) => list,
            _ => &[],
        }
    }

    /// The same as JSON. What JSON does not have is noted.
    pub(in crate::policy) fn json(&self, problems: &mut Problems<'_>) -> Option<json::Value> {
        Some(match &self.value {
            Value::Null => json::Value::Null,
            Value::Bool(value) => json::Value::Bool(*value),
            Value::Whole(number) => json::Value::Number(number.to_string()),
            Value::Number(text) if json::Value::parse(text.as_bytes()).is_ok() => json::Value::Number(text.clone()),
            Value::Number(_) => {
                problems.add(self.span, "JSON has no such number");
                return None;
            }
            Value::Text(text) => json::Value::String(text.clone()),
            Value::List(list) => {
                let elements: Vec<_> = list.iter().map(|element| element.json(problems)).collect();
                json::Value::Array(elements.into_iter().collect::<Option<_>>()?)
            }
            Value::Map(map) => return Self::json_object(map, problems),
        })
    }

    fn json_object(map: &[(Self, Self)], problems: &mut Problems<'_>) -> Option<json::Value> {
        if map.len() > MAX_KEYS {
            let span = map.first().map_or(Span::START, |(key, _)| key.span);
            problems.add(span, format!("more than {MAX_KEYS} keys"));
            return None;
        }
        let mut object = json::Object::new();
        let mut whole = true;
        let mut seen = HashSet::new();
        for (key, value) in map {
            let value = value.json(problems);
            match &key.value {
                Value::Text(name) if seen.insert(name) => match value {
                    Some(value) => object.insert(name, value),
                    None => whole = false,
                },
                Value::Text(name) => {
                    problems.add(key.span, format!("duplicate key `{name}`"));
                    whole = false;
                }
                other => {
                    problems.add(
                        key.span,
                        format!("a key is text, not {}: write it in quotes", other.what()),
                    );
                    whole = false;
                }
            }
        }
        whole.then_some(json::Value::Object(object))
    }
}

impl Value {
    /// What it is, for messages.
    pub(in crate::policy) fn what(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Whole(_) | Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Hands out every document of every file. A file without any is a problem: `nothing` says so.
pub(in crate::policy) fn parse_all<'s>(
    sources: impl Iterator<Item = (&'s str, &'s str)>,
    nothing: &str,
    problems: &mut Problems<'s>,
    mut each: impl FnMut(Node, &mut Problems<'s>),
) {
    for (name, text) in sources {
        let source = Source { name, text };
        problems.turn_to(source);
        let before = problems.count();
        let nodes = parse(source, problems);
        if nodes.is_empty() && problems.count() == before {
            problems.add(Span::START, nothing);
        }
        nodes.into_iter().for_each(|node| each(node, problems));
    }
}

/// All documents of a file that are not empty; none if the file is no YAML, which is noted then.
pub(in crate::policy) fn parse(source: Source<'_>, problems: &mut Problems<'_>) -> Vec<Node> {
    if source.text.len() > MAX_BYTES {
        problems.add(Span::START, format!("the file has more than {MAX_BYTES} bytes"));
        return Vec::new();
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 32,
            flow_nesting_limit: 32,
            max_anchors: 0,
            max_aliases: 0,
            max_nodes: 100_000,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    match serde_saphyr::from_multiple_with_options::<Spanned<Value>>(source.text, options) {
        Ok(documents) => documents.into_iter().map(Node::from).collect(),
        Err(error) => {
            let span = error.location().map_or(Span::START, Span::from);
            problems.add(Span { width: 1, ..span }, message(&error));
            Vec::new()
        }
    }
}

fn message(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;
    use serde_saphyr::budget::BudgetBreach;
    match error {
        Error::Budget {
            breach: BudgetBreach::Anchors { .. } | BudgetBreach::Aliases { .. },
            ..
        }
        | Error::UnknownAnchor { .. } => "anchors and aliases are not allowed in a policy: write it out".to_owned(),
        Error::MergeKeyNotAllowed { .. } => "merge keys are not allowed in a policy: write it out".to_owned(),
        Error::UnsupportedTag { .. } => "tags are not allowed in a policy".to_owned(),
        Error::Budget { .. } => TOO_LARGE.to_owned(),
        other => {
            let options = serde_saphyr::render_options! {
                formatter: &serde_saphyr::UserMessageFormatter,
                snippets: serde_saphyr::SnippetMode::Off,
            };
            let text = other.render_with_options(options);
            // The place is told by the error that this becomes part of.
            let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
            if text.contains("recursion limit") {
                return TOO_LARGE.to_owned();
            }
            format!("no valid YAML: {text}")
        }
    }
}

impl From<Spanned<Value>> for Node {
    fn from(spanned: Spanned<Value>) -> Self {
        Self {
            span: spanned.referenced.into(),
            value: spanned.value,
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Whole(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| Value::Number(value.to_string()), Value::Whole))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        // As JSON writes it; what JSON can't write is written as Rust does, and refused where JSON is wanted.
        let text = serde_json::Number::from_f64(value).map_or_else(|| value.to_string(), |number| number.to_string());
        Ok(Value::Number(text))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = access.next_element::<Spanned<Value>>()? {
            list.push(element.into());
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = access.next_entry::<Spanned<Value>, Spanned<Value>>()? {
            map.push((key.into(), value.into()));
        }
        Ok(Value::Map(map))
    }
}
