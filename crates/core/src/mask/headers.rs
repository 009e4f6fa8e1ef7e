//! The headers of an answer that reach the caller: an allowlist.

use http::header::{CACHE_CONTROL, DATE, HeaderName, HeaderValue, RETRY_AFTER, WARNING};
use http::{HeaderMap, header};

use super::walk::without_payloads;
use crate::escape::escape_clip;

const MAX_WARNINGS: usize = 5;
const MAX_WARNING: usize = 256;

/// The headers of an answer that may be handed out: `Date`, `Retry-After`, `Audit-ID`, `Cache-Control`,
/// `X-Kubernetes-PF-*` and at most five `Warning`s, shortened to 256 bytes.
///
/// `Content-Type` is not among them, since it is the masked body's: see [`Masker::content_type`](super::Masker::content_type).
/// Neither is `Content-Length`, since nobody knows it yet.
#[must_use]
pub fn response_headers(upstream: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in upstream {
        if name == WARNING {
            if headers.get_all(WARNING).iter().count() < MAX_WARNINGS
                && let Some(warning) = warning(value)
            {
                headers.append(WARNING, warning);
            }
        } else if is_allowed(name) && value.len() <= MAX_WARNING && value.to_str().is_ok() {
            headers.entry(name).or_insert_with(|| value.clone());
        }
    }
    headers
}

/// The type of a JSON answer: `application/json`, and on discovery answers the parameters by which clients recognise
/// their form.
pub(super) fn json_content_type(upstream: &str, discovery: bool) -> String {
    let mut content_type = String::from("application/json");
    if !discovery {
        return content_type;
    }
    for parameter in upstream.split(';').skip(1) {
        let Some((name, value)) = parameter.trim().split_once('=') else {
            continue;
        };
        let is_word = value.len() <= 64 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        if matches!(name, "g" | "v" | "as") && is_word {
            content_type.push_str(&format!(";{name}={value}"));
        }
    }
    content_type
}

/// The value of the one header of this name; `Err` if there are several or it is no text.
pub(super) fn single(headers: &HeaderMap, name: header::HeaderName) -> Result<Option<&str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

fn is_allowed(name: &HeaderName) -> bool {
    [DATE, RETRY_AFTER, CACHE_CONTROL].contains(name)
        || name == "audit-id"
        || name.as_str().starts_with("x-kubernetes-pf-")
}

/// A warning of the form `299 agent "text"`, rewritten without quoted values and no longer than allowed. Others are
/// dropped: a header with several warnings, or a date behind the text, is not what a Kubernetes API server writes.
fn warning(value: &HeaderValue) -> Option<HeaderValue> {
    let (agent, text) = value.to_str().ok()?.strip_prefix("299 ")?.split_once(' ')?;
    let text = text.strip_prefix('"')?.strip_suffix('"')?;
    if agent.is_empty() || agent.len() > 64 || agent.contains('"') {
        return None;
    }
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => plain.push(characters.next()?),
            other => plain.push(other),
        }
    }
    let (plain, _) = without_payloads(&plain, 0);
    HeaderValue::from_str(&quoted(agent, &plain)).ok()
}

/// A warning of the guard's own, at most 256 bytes: `299 countersign "text"`. What a header can't hold is escaped.
#[must_use]
pub fn warning_header(text: &str) -> Option<HeaderValue> {
    let mut plain = String::new();
    for character in escape_clip(text, MAX_WARNING).chars() {
        match character {
            ' '..='~' => plain.push(character),
            other => plain.extend(other.escape_unicode()),
        }
    }
    HeaderValue::from_str(&quoted("countersign", &plain)).ok()
}

/// Puts warnings of the guard's own before those that are there; at most five stay.
pub fn add_warnings(headers: &mut HeaderMap, warnings: &[String]) {
    if warnings.is_empty() {
        return;
    }
    let ours = warnings.iter().filter_map(|text| warning_header(text));
    let all: Vec<_> = ours
        .chain(headers.get_all(WARNING).iter().cloned())
        .take(MAX_WARNINGS)
        .collect();
    headers.remove(WARNING);
    for warning in all {
        headers.append(WARNING, warning);
    }
}

fn quoted(agent: &str, plain: &str) -> String {
    let mut out = format!("299 {agent} \"");
    for character in plain.chars() {
        let escape = matches!(character, '"' | '\\');
        if out.len() + 3 > MAX_WARNING {
            break;
        }
        if escape {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn only_listed_headers_pass() {
        let headers = response_headers(&answered(&[
            ("date", "Mon, 01 Jan 2026 00:00:00 GMT"),
            ("retry-after", "1"),
            ("audit-id", "x"),
            ("cache-control", "no-cache"),
            ("x-kubernetes-pf-flowschema-uid", "u"),
            ("content-type", "application/json"),
            ("content-length", "5"),
            ("content-encoding", "gzip"),
            ("set-cookie", "a=b"),
            ("location", "https://elsewhere"),
            ("www-authenticate", "Basic realm=x"),
            ("server", "x"),
            ("transfer-encoding", "chunked"),
        ]));
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "audit-id",
                "cache-control",
                "date",
                "retry-after",
                "x-kubernetes-pf-flowschema-uid"
            ]
        );
    }

    #[test]
    fn warnings_are_few_short_and_well_formed() {
        let long = format!("299 - \"{}\"", "a\\\"".repeat(200));
        let mut pairs = vec![
            ("warning", long.as_str()),
            ("warning", "299 - \"Invalid value: \\\"hunter2\\\": no\""),
            ("warning", "no warning at all"),
            ("warning", "299 - \"one\", 299 - \"two\""),
        ];
        pairs.extend([("warning", "299 - \"plain\""); 9]);
        let headers = response_headers(&answered(&pairs));
        let warnings: Vec<_> = headers.get_all("warning").iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(warnings.len(), MAX_WARNINGS);
        assert!(warnings[0].len() <= MAX_WARNING && warnings[0].len() > MAX_WARNING - 4);
        assert_eq!(warnings[0].matches("a\\\"").count(), 82);
        assert_eq!(
            warnings[1],
            "299 - \"Invalid value: \\\"countersign.masked.value\\\": no\""
        );
        assert_eq!(warnings[2], "299 - \"plain\"");
    }

    #[test]
    fn warnings_of_our_own_come_first() {
        let mut headers = answered(&[("warning", "299 - \"theirs\""); 5]);
        let hostile = "sha\"dow\\ d\u{e9}ny\r\nSet-Cookie: a=b\u{202e}".to_owned();
        add_warnings(&mut headers, &[hostile, "x".repeat(900)]);
        let warnings: Vec<_> = headers.get_all("warning").iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(warnings.len(), MAX_WARNINGS);
        assert_eq!(
            warnings[0],
            r#"299 countersign "sha\"dow\\\\ d\\u{e9}ny\\r\\nSet-Cookie: a=b\\u{202e}""#
        );
        assert!(warnings[1].len() <= MAX_WARNING, "{}", warnings[1].len());
        assert_eq!(warnings[2], "299 - \"theirs\"");
        let untouched = headers.clone();
        add_warnings(&mut headers, &[]);
        assert_eq!(headers, untouched);
    }

    #[test]
    fn discovery_keeps_the_form_of_its_type() {
        let upstream = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;charset=utf-8;x=\"y\"";
        assert_eq!(
            json_content_type(upstream, true),
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        );
        assert_eq!(json_content_type(upstream, false), "application/json");
    }
}
