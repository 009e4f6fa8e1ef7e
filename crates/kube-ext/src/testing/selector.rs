//! Label and field selectors.

use serde_json::Value;

use super::errors::ApiError;
use super::kinds::{CUSTOM, Resource};
use super::object::{Object, meta};

/// What a list or a watch selects.
#[derive(Clone, Debug, Default)]
pub(super) struct Selector {
    labels: Vec<LabelTerm>,
    fields: Vec<FieldTerm>,
}

#[derive(Clone, Debug)]
struct LabelTerm {
    key: String,
    test: LabelTest,
}

#[derive(Clone, Debug)]
enum LabelTest {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

#[derive(Clone, Debug)]
struct FieldTerm {
    path: String,
    value: String,
    equal: bool,
}

impl Selector {
    pub(super) fn parse(resource: &Resource, labels: &str, fields: &str) -> Result<Self, ApiError> {
        Ok(Self {
            labels: parse_labels(labels)?,
            fields: parse_fields(resource, fields)?,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// The same, and the object's name too: how a watch of one object is written.
    pub(super) fn named(mut self, name: &str) -> Self {
        self.fields.push(FieldTerm {
            path: "metadata.name".to_owned(),
            value: name.to_owned(),
            equal: true,
        });
        self
    }

    pub(super) fn matches(&self, object: &Object) -> bool {
        self.labels.iter().all(|term| term.matches(object)) && self.fields.iter().all(|term| term.matches(object))
    }
}

impl LabelTerm {
    fn matches(&self, object: &Object) -> bool {
        let value = meta(object, "labels")
            .and_then(|labels| labels.get(&self.key))
            .and_then(Value::as_str);
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.test {
            LabelTest::Exists => value.is_some(),
            LabelTest::Absent => value.is_none(),
            LabelTest::In(values) => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            LabelTest::NotIn(values) => value.is_none_or(|value| values.iter().all(|other| other != value)),
            LabelTest::Above(bound) => number().is_some_and(|number| number > *bound),
            LabelTest::Below(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

impl FieldTerm {
    fn matches(&self, object: &Object) -> bool {
        // `source` of an event is the component within it.
        let path = if self.path == "source" {
            "source.component"
        } else {
            self.path.as_str()
        };
        let mut parts = path.split('.');
        let mut found = parts.next().and_then(|first| object.get(first));
        for part in parts {
            found = found.and_then(|value| value.get(part));
        }
        let actual = match found {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(flag)) => flag.to_string(),
            Some(Value::Number(number)) => number.to_string(),
            _ if matches!(path, "spec.hostNetwork" | "spec.unschedulable") => "false".to_owned(),
            _ => String::new(),
        };
        (actual == self.value) == self.equal
    }
}

fn parse_fields(resource: &Resource, raw: &str) -> Result<Vec<FieldTerm>, ApiError> {
    let mut terms = Vec::new();
    for term in raw.split(',').filter(|term| !term.is_empty()) {
        let split = ["!=", "==", "="].iter().find_map(|operator| {
            // The first operator of the term counts; `!=` and `==` contain `=`.
            let (path, value) = term.split_once(operator)?;
            (!path.contains(['=', '!'])).then_some((path, value, *operator != "!="))
        });
        let Some((path, value, equal)) = split else {
            return Err(ApiError::bad_request(format!(
                "invalid selector: '{raw}'; can't understand '{term}'"
            )));
        };
        if !matches!(path, "metadata.name" | "metadata.namespace") && !resource.selectable.contains(&path) {
            return Err(unknown_field(resource, path));
        }
        terms.push(FieldTerm {
            path: path.to_owned(),
            value: value.to_owned(),
            equal,
        });
    }
    Ok(terms)
}

fn unknown_field(resource: &Resource, path: &str) -> ApiError {
    if resource.is(CUSTOM) || !resource.selectable.is_empty() {
        return ApiError::bad_request(format!("field label not supported: {path}"));
    }
    let known = "only \"metadata.name\", \"metadata.namespace\"";
    ApiError::bad_request(format!("\"{path}\" is not a known field selector: {known}"))
}

fn parse_labels(raw: &str) -> Result<Vec<LabelTerm>, ApiError> {
    let mut tokens = tokenize(raw).into_iter().peekable();
    let mut terms = Vec::new();
    while tokens.peek().is_some() {
        if !matches!(tokens.peek(), Some(Token::Word(_) | Token::Mark('!'))) {
            return Err(unexpected(tokens.next(), "!, identifier, or 'end of string'"));
        }
        terms.push(parse_term(&mut tokens)?);
        match tokens.next() {
            None => break,
            Some(Token::Mark(',')) if tokens.peek().is_some() => {}
            Some(Token::Mark(',')) => return Err(unexpected(None, "identifier after ','")),
            Some(other) => return Err(unexpected(Some(other), "',' or 'end of string'")),
        }
    }
    Ok(terms)
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Mark(char),
    Equal,
    NotEqual,
}

fn tokenize(raw: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        let mark = matches!(c, ',' | '(' | ')' | '!' | '=' | '<' | '>');
        if (mark || c.is_whitespace()) && !word.is_empty() {
            tokens.push(Token::Word(std::mem::take(&mut word)));
        }
        match c {
            '!' if chars.next_if_eq(&'=').is_some() => tokens.push(Token::NotEqual),
            '=' => {
                let _ = chars.next_if_eq(&'=');
                tokens.push(Token::Equal);
            }
            _ if mark => tokens.push(Token::Mark(c)),
            _ if c.is_whitespace() => {}
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        tokens.push(Token::Word(word));
    }
    tokens
}

type Tokens = std::iter::Peekable<std::vec::IntoIter<Token>>;

fn parse_term(tokens: &mut Tokens) -> Result<LabelTerm, ApiError> {
    let absent = tokens.next_if_eq(&Token::Mark('!')).is_some();
    let key = match tokens.next() {
        Some(Token::Word(key)) => key,
        other => return Err(unparsable(other, "identifier")),
    };
    if absent {
        return Ok(LabelTerm {
            key,
            test: LabelTest::Absent,
        });
    }
    let test = match tokens.peek() {
        None | Some(Token::Mark(',')) => {
            return Ok(LabelTerm {
                key,
                test: LabelTest::Exists,
            });
        }
        Some(_) => tokens.next(),
    };
    let test = match test {
        Some(Token::Equal) => LabelTest::In(vec![value(tokens)?]),
        Some(Token::NotEqual) => LabelTest::NotIn(vec![value(tokens)?]),
        Some(Token::Mark('>')) => LabelTest::Above(bound(tokens)?),
        Some(Token::Mark('<')) => LabelTest::Below(bound(tokens)?),
        Some(Token::Word(word)) if word == "in" => LabelTest::In(set(tokens)?),
        Some(Token::Word(word)) if word == "notin" => LabelTest::NotIn(set(tokens)?),
        other => return Err(unparsable(other, "in, notin, =, ==, !=, gt, lt")),
    };
    Ok(LabelTerm { key, test })
}

/// The value after an operator; nothing there is the empty value.
fn value(tokens: &mut Tokens) -> Result<String, ApiError> {
    match tokens.peek() {
        None | Some(Token::Mark(',')) => Ok(String::new()),
        Some(_) => match tokens.next() {
            Some(Token::Word(word)) => Ok(word),
            other => Err(unparsable(other, "identifier")),
        },
    }
}

fn bound(tokens: &mut Tokens) -> Result<i64, ApiError> {
    let text = value(tokens)?;
    text.parse().map_err(|_| {
        let why = "for 'Gt', 'Lt' operators, the value must be an integer";
        ApiError::bad_request(format!(
            "unable to parse requirement: values[0]: Invalid value: \"{text}\": {why}"
        ))
    })
}

fn set(tokens: &mut Tokens) -> Result<Vec<String>, ApiError> {
    match tokens.next() {
        Some(Token::Mark('(')) => {}
        other => return Err(unparsable(other, "'('")),
    }
    let mut values = Vec::new();
    loop {
        match tokens.next() {
            Some(Token::Word(word)) => values.push(word),
            Some(Token::Mark(',')) => {}
            Some(Token::Mark(')')) => return Ok(values),
            other => return Err(unparsable(other, "',' or ')'")),
        }
    }
}

fn unparsable(token: Option<Token>, expected: &str) -> ApiError {
    ApiError::bad_request(format!("unable to parse requirement: {}", found(token, expected)))
}

fn unexpected(token: Option<Token>, expected: &str) -> ApiError {
    ApiError::bad_request(found(token, expected))
}

fn found(token: Option<Token>, expected: &str) -> String {
    let found = match token {
        None => String::new(),
        Some(Token::Word(word)) => word,
        Some(Token::Mark(mark)) => mark.to_string(),
        Some(Token::Equal) => "=".to_owned(),
        Some(Token::NotEqual) => "!=".to_owned(),
    };
    format!("found '{found}', expected: {expected}")
}
