//! Which answer is asked for: the caller's `Accept`, reduced to one that can be masked.
//!
//! What is sent is always JSON, and always one of a few texts of ours. Where the caller offers no JSON it gets JSON
//! all the same: clients decode by the type of the answer.

use http::StatusCode;

use crate::refusal::{Class, Refusal};

/// What kind of answer a path has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Objects, as they are, as a Table or as metadata only.
    Objects,
    /// Text of a container.
    Log,
    /// `/api` and `/apis`, which may answer with all groups at once.
    DiscoveryRoot,
    /// `/openapi/v2`, whose clients decode what they asked for.
    OpenApiV2,
    /// Other discovery.
    Discovery,
    /// Health, which is text whatever is asked for.
    Health,
}

const JSON: &str = "application/json";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const METADATA: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
const METADATA_OR_OBJECT: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
const METADATA_LIST_OR_LIST: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json";
const GROUPS_V2: &str = "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io,application/json";
const GROUPS_V2BETA1: &str =
    "application/json;as=APIGroupDiscoveryList;v=v2beta1;g=apidiscovery.k8s.io,application/json";
const GROUPS_BOTH: &str = "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io,\
                           application/json;as=APIGroupDiscoveryList;v=v2beta1;g=apidiscovery.k8s.io,application/json";

/// What is asked for in the caller's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Negotiated {
    /// The `Accept` to send.
    pub(super) accept: &'static str,
    /// Whether the caller said that it takes what it gets. If not, whether it gets it is for the policy to say.
    pub(super) offered: bool,
}

impl Negotiated {
    const fn offered(accept: &'static str) -> Self {
        Self { accept, offered: true }
    }
}

/// The `Accept` to send. With `strict`, a caller that offers no JSON is refused instead of given some.
#[inline]
pub(super) fn negotiate<'a>(
    values: impl Iterator<Item = &'a str> + Clone,
    answer: Answer,
    strict: bool,
) -> Result<Negotiated, Refusal> {
    match answer {
        Answer::Log => return Ok(Negotiated::offered("*/*")),
        Answer::Health => return Ok(Negotiated::offered(JSON)),
        _ => {}
    }
    // By far the most common ones.
    let mut all = values.clone();
    match (all.next(), all.next()) {
        (None, _) | (Some("*/*"), None) => return Ok(Negotiated::offered(JSON)),
        (Some(value), None) if value == JSON => return Ok(Negotiated::offered(JSON)),
        _ => {}
    }
    let mut ranges: Vec<Range> = values
        .flat_map(|value| Items::new(value, b','))
        .filter_map(Range::parse)
        .collect();
    // Stable: among equals the caller's order counts.
    ranges.sort_by_key(|range| std::cmp::Reverse(range.quality));
    let json: Vec<&Range> = ranges.iter().filter(|range| range.json).collect();
    match json.iter().copied().find_map(|range| range.form(answer)) {
        Some(form) => Ok(Negotiated::offered(form.written(answer, &json))),
        None if strict || answer == Answer::OpenApiV2 => Err(not_acceptable()),
        None => Ok(Negotiated {
            accept: ranges
                .iter()
                .find_map(|range| range.form(answer))
                .map_or(JSON, |form| form.written(answer, &json)),
            offered: false,
        }),
    }
}

/// The refusal for a caller that accepts no JSON.
pub(crate) fn not_acceptable() -> Refusal {
    Refusal::new(
        StatusCode::NOT_ACCEPTABLE,
        Class::Unsupported,
        "only JSON answers are handed out",
    )
    .with_remedy("add application/json to Accept")
}

/// In which form the answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Table,
    Metadata,
    MetadataList,
    Groups,
}

impl Form {
    fn written(self, answer: Answer, json: &[&Range]) -> &'static str {
        let plain_too = json.iter().any(|range| range.form(answer) == Some(Self::Plain));
        let offers = |version: &str| json.iter().any(|range| range.is_groups(version));
        match (self, plain_too) {
            (Self::Plain, _) => JSON,
            (Self::Table, _) => TABLE,
            (Self::Metadata, false) => METADATA,
            (Self::Metadata, true) => METADATA_OR_OBJECT,
            (Self::MetadataList, false) => METADATA_LIST,
            (Self::MetadataList, true) => METADATA_LIST_OR_LIST,
            (Self::Groups, _) => match (offers("v2"), offers("v2beta1")) {
                (true, true) => GROUPS_BOTH,
                (false, true) => GROUPS_V2BETA1,
                _ => GROUPS_V2,
            },
        }
    }
}

/// One media range, as far as it matters here.
#[derive(Debug, Default)]
struct Range {
    /// Whether JSON is in it.
    json: bool,
    /// `q`, in thousandths.
    quality: u16,
    kind: Option<String>,
    version: String,
    group: String,
}

impl Range {
    /// Reads one range; `None` if it is malformed or unwanted (`q=0`): nothing of it is forwarded anyway.
    fn parse(text: &str) -> Option<Self> {
        let mut items = Items::new(text, b';');
        let media = items.next()?.trim();
        let mut range = Self {
            json: [JSON, "application/*", "*/*"]
                .iter()
                .any(|json| media.eq_ignore_ascii_case(json)),
            quality: 1000,
            ..Self::default()
        };
        media.split_once('/')?;
        for parameter in items {
            let (name, value) = parameter.split_once('=')?;
            let (name, value) = (name.trim(), unquote(value.trim())?);
            match name.to_ascii_lowercase().as_str() {
                "q" => range.quality = quality(&value)?,
                "as" => range.kind = Some(value),
                "v" => range.version = value,
                "g" => range.group = value,
                _ => {}
            }
        }
        (range.quality > 0).then_some(range)
    }

    /// The form, if it is one that the path can answer in.
    fn form(&self, answer: Answer) -> Option<Form> {
        let Some(kind) = &self.kind else {
            return Some(Form::Plain);
        };
        let is_meta = self.group == "meta.k8s.io" && self.version == "v1";
        match (answer, kind.as_str()) {
            (Answer::Objects, "Table") if is_meta => Some(Form::Table),
            (Answer::Objects, "PartialObjectMetadata") if is_meta => Some(Form::Metadata),
            (Answer::Objects, "PartialObjectMetadataList") if is_meta => Some(Form::MetadataList),
            (Answer::DiscoveryRoot, _) if self.is_groups("v2") || self.is_groups("v2beta1") => Some(Form::Groups),
            _ => None,
        }
    }

    fn is_groups(&self, version: &str) -> bool {
        self.kind.as_deref() == Some("APIGroupDiscoveryList")
            && self.group == "apidiscovery.k8s.io"
            && self.version == version
    }
}

/// `q` in thousandths; `None` if it is none.
fn quality(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// The value of a parameter, without its quotes; `None` if they don't close.
fn unquote(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return Some(value.to_owned());
    };
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(out),
            '\\' => out.push(characters.next()?),
            other => out.push(other),
        }
    }
}

/// The parts of a header value between separators that stand outside of quotes.
struct Items<'a> {
    rest: Option<&'a str>,
    separator: u8,
}

impl<'a> Items<'a> {
    fn new(text: &'a str, separator: u8) -> Self {
        Self {
            rest: Some(text),
            separator,
        }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest?;
        let (mut quoted, mut escaped) = (false, false);
        let end = text.bytes().position(|byte| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ => return !quoted && byte == self.separator,
            }
            false
        });
        let Some((item, after)) = end.and_then(|end| text.split_at_checked(end)) else {
            self.rest = None;
            return Some(text);
        };
        self.rest = after.get(1..);
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(values: &[&str], answer: Answer) -> &'static str {
        negotiate(values.iter().copied(), answer, false).unwrap().accept
    }

    #[test]
    fn objects_are_json_a_table_or_metadata() {
        for plain in [
            "application/json",
            "*/*",
            "application/vnd.kubernetes.protobuf",
            "application/yaml",
            "application/cbor, application/json;q=0.1",
            "application/json, application/json;as=Table;v=v1;g=meta.k8s.io",
            "application/json;as=Table;v=v1;g=meta.k8s.io;q=0.1, */*;q=0.2",
            "application/json;as=Table;v=v9;g=meta.k8s.io",
            "application/json;as=Table;v=v1;g=meta.k8s.io;q=0, application/json",
            "application/json;as=\"Table",
            "text/html, image/gif, *; q=.2, */*; q=.2",
            ",;,=",
            "",
        ] {
            assert_eq!(accept(&[plain], Answer::Objects), JSON, "{plain}");
        }
        for table in [
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
            "application/json;as=\"Table\";v=v1;g=meta.k8s.io",
            "Application/JSON; G=meta.k8s.io; V=v1; As=Table",
            "application/json;q=0.5, application/json;as=Table;v=v1;g=meta.k8s.io",
            "*/*;as=Table;v=v1;g=\"meta.k8s.io\"",
        ] {
            assert_eq!(accept(&[table], Answer::Objects), TABLE, "{table}");
        }
        assert_eq!(
            accept(
                &["text/plain", "application/json;as=Table;v=v1;g=meta.k8s.io"],
                Answer::Objects
            ),
            TABLE
        );
        let metadata = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        assert_eq!(accept(&[metadata], Answer::Objects), METADATA);
        let metadata =
            format!("{metadata},application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json");
        assert_eq!(accept(&[&metadata], Answer::Objects), METADATA_OR_OBJECT);
        let list = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
        assert_eq!(accept(&[list], Answer::Objects), METADATA_LIST);
        assert_eq!(accept(&[], Answer::Objects), JSON);
    }

    #[test]
    fn logs_discovery_and_health() {
        assert_eq!(accept(&["application/json"], Answer::Log), "*/*");
        let groups = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                      application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
        assert_eq!(accept(&[groups], Answer::DiscoveryRoot), GROUPS_BOTH);
        assert_eq!(accept(&[groups], Answer::Discovery), JSON);
        let old = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
        assert_eq!(accept(&[old], Answer::DiscoveryRoot), GROUPS_V2BETA1);
        assert_eq!(accept(&["text/plain"], Answer::Health), JSON);
    }

    #[test]
    fn what_has_to_be_refused_is() {
        let protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
        let refused = |value, answer, strict| {
            negotiate([value].into_iter(), answer, strict)
                .map(|negotiated| negotiated.accept)
                .map_err(|r| r.status())
        };
        assert_eq!(
            refused(protobuf, Answer::OpenApiV2, false),
            Err(StatusCode::NOT_ACCEPTABLE)
        );
        assert_eq!(
            refused("application/json;q=0.1, x/y", Answer::OpenApiV2, false),
            Ok(JSON)
        );
        assert_eq!(
            refused("application/yaml", Answer::Objects, true),
            Err(StatusCode::NOT_ACCEPTABLE)
        );
        assert_eq!(
            refused("application/yaml, application/*", Answer::Objects, true),
            Ok(JSON)
        );
        assert_eq!(refused("text/plain", Answer::Log, true), Ok("*/*"));
    }

    #[test]
    fn it_is_known_whether_json_was_offered() {
        let offered = |value, answer| negotiate([value].into_iter(), answer, false).unwrap().offered;
        for json in [
            "*/*",
            "application/json",
            "application/*;q=0.1, x/y",
            "application/json;as=Table;v=v1;g=meta.k8s.io",
        ] {
            assert!(offered(json, Answer::Objects), "{json}");
        }
        let metadata = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        for other in [
            "application/yaml",
            "application/vnd.kubernetes.protobuf",
            metadata,
            "application/json;q=0",
            "",
        ] {
            assert!(!offered(other, Answer::Objects), "{other}");
            // Logs and health are text, whatever is asked for.
            assert!(offered(other, Answer::Log) && offered(other, Answer::Health), "{other}");
        }
    }
}
