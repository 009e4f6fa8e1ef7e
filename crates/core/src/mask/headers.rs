//! The headers of an answer that reach the caller: an allowlist.

use http::header::{CACHE_CONTROL, DATE, HeaderName, HeaderValue, RETRY_AFTER, WARNING};
use http::{HeaderMap, header};

use super::plan::Plan;
use super::walk::without_payloads;
use crate::detect::Hits;
use crate::escape::escape_clip;

const MAX_WARNINGS: usize = 5;
const MAX_WARNING: usize = 256;
/// Longest value of another header.
const MAX_VALUE: usize = 128;

/// The headers of an answer that may be handed out: `Date`, `Retry-After`, `Audit-ID`, `Cache-Control`,
/// `X-Kubernetes-PF-*` and at most five `Warning`s, shortened to 256 bytes.
///
/// A warning is the server's text, or that of a webhook: its quotations go, and what looks like a secret. About a Secret it
/// is not handed out at all, but that there was one.
///
/// `Content-Type` is not among them, since it is the masked body's: see [`Masker::content_type`](super::Masker::content_type).
/// Neither is `Content-Length`, since nobody knows it yet.
#[must_use]
pub fn response_headers(plan: &Plan, upstream: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in upstream {
        if name == WARNING {
            if headers.get_all(WARNING).iter().count() < MAX_WARNINGS
                && let Some(warning) = warning(plan, value)
            {
                headers.append(WARNING, warning);
            }
        } else if is_allowed(name) && is_plain(value) {
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

/// Whether a value is as short and simple as those of the listed headers are: dates, numbers, ids, directives.
fn is_plain(value: &HeaderValue) -> bool {
    let in_words = |byte: &u8| byte.is_ascii_alphanumeric() || b" ,:;=-_.\"".contains(byte);
    value.len() <= MAX_VALUE && value.as_bytes().iter().all(in_words)
}

/// A warning of the form `299 agent "text"`, rewritten without quoted values and no longer than allowed. Others are
/// dropped: a header with several warnings, or a date behind the text, is not what a Kubernetes API server writes.
fn warning(plan: &Plan, value: &HeaderValue) -> Option<HeaderValue> {
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
    if plan.is_about_secrets() {
        return warning_header("the server warned about this request; the text may quote a value, so it is left out");
    }
    let (plain, _) = without_payloads(&plain, 0);
    let (mut hits, mut scrubbed) = (Hits::default(), Vec::new());
    // The agent is whoever the server says; so it is ours to say.
    plan.detectors().detect(plain.as_bytes(), &mut hits);
    hits.replace(plain.as_bytes(), &mut scrubbed, |_| ());
    let agent = if agent == "-" { "-" } else { "upstream" };
    HeaderValue::from_str(&quoted(agent, &String::from_utf8_lossy(&scrubbed))).ok()
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

    fn plan(resource: &str) -> Plan {
        let target = format!("/api/v1/namespaces/team-a/{resource}/x");
        let target = crate::request::Target::parse("GET", target.as_bytes()).unwrap();
        Plan::new(target.attributes(), None, &[])
    }

    #[derive(Debug)]
    struct Word(&'static str);

    impl crate::detect::Detector for Word {
        fn detect(&self, text: &[u8], hits: &mut Hits) {
            if let Some(at) = memchr::memmem::find(text, self.0.as_bytes()) {
                hits.push(at..at + self.0.len(), "word");
            }
        }
    }

    #[test]
    fn warnings_are_looked_through() {
        let masking = super::super::Masking {
            detectors: crate::detect::Detectors::built_in().and(std::sync::Arc::new(Word("hunter2"))),
            ..Default::default()
        };
        let upstream = answered(&[
            ("warning", "299 - \"the password is hunter2\""),
            ("warning", "299 hunter2 \"agent\""),
        ]);
        let warnings = |resource: &str| -> Vec<String> {
            let headers = response_headers(&plan(resource).masking(masking.clone()), &upstream);
            let values = headers.get_all("warning").iter();
            values.map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(
            warnings("pods"),
            [
                "299 - \"the password is countersign.masked.value\"",
                "299 upstream \"agent\""
            ]
        );
        let left_out =
            "299 countersign \"the server warned about this request; the text may quote a value, so it is left out\"";
        assert_eq!(warnings("secrets"), [left_out, left_out]);
    }

    #[test]
    fn other_headers_hold_no_text() {
        let headers = response_headers(
            &plan("pods"),
            &answered(&[
                ("cache-control", "no-cache, private"),
                ("retry-after", "postgres://a:b@c/d"),
                ("date", &"1".repeat(200)),
            ]),
        );
        assert_eq!(
            headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(),
            ["cache-control"]
        );
    }

    #[test]
    fn only_listed_headers_pass() {
        let headers = response_headers(
            &plan("pods"),
            &answered(&[
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
            ]),
        );
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
        let headers = response_headers(&plan("pods"), &answered(&pairs));
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
