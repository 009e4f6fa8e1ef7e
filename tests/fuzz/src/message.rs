//! The form in which requests are fuzzed: readable, and every change of a byte is another request.
//!
//! ```text
//! PATCH /apis/apps/v1/namespaces/team-a/deployments/web
//! content-type: application/merge-patch+json
//!
//! {"spec":{"replicas":0}}
//! %%
//! {"spec":{"replicas":3}}
//! ```
//!
//! Request line without version, header lines, an empty line, the body. After a line `%%` comes what else the target
//! needs: no JSON has a line break inside a string, so it can't be part of a body that is accepted.

use http::{HeaderMap, HeaderName, HeaderValue};

const SEPARATOR: &[u8] = b"\n%%\n";

/// A request, and what comes after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'i> {
    /// The method.
    pub method: &'i str,
    /// The request target, as it came.
    pub target: &'i [u8],
    /// The headers; lines that no HTTP library would accept are left out.
    pub headers: HeaderMap,
    /// The body, maybe empty.
    pub body: &'i [u8],
    /// What stands after the separator, if it is there.
    pub rest: Option<&'i [u8]>,
}

impl<'i> Message<'i> {
    /// Reads an input; `None` if its method is no text.
    #[must_use]
    pub fn read(input: &'i [u8]) -> Option<Self> {
        let (request, rest) = cut(input, SEPARATOR);
        let (line, mut after) = cut(request, b"\n");
        let (method, target) = cut(line, b" ");
        let mut headers = HeaderMap::new();
        while let Some(lines) = after {
            let (line, next) = cut(lines, b"\n");
            after = next;
            if line.is_empty() {
                break;
            }
            headers.extend(header(line));
        }
        Some(Self {
            method: std::str::from_utf8(method).ok()?,
            target: target.unwrap_or_default(),
            headers,
            body: after.unwrap_or_default(),
            rest,
        })
    }

    /// Writes one that reads back.
    #[must_use]
    pub fn write(method: &str, target: &str, headers: &[(&str, &str)], body: &str, rest: Option<&str>) -> String {
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect();
        let rest = rest.map(|rest| format!("\n%%\n{rest}")).unwrap_or_default();
        format!("{method} {target}\n{lines}\n{body}{rest}")
    }
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = cut(line, b":");
    let name = HeaderName::from_bytes(name).ok()?;
    Some((name, HeaderValue::from_bytes(value?.trim_ascii()).ok()?))
}

/// What is before the first occurrence of a separator, and what is after it, if there is one.
fn cut<'i>(input: &'i [u8], separator: &[u8]) -> (&'i [u8], Option<&'i [u8]>) {
    match input.windows(separator.len()).position(|window| window == separator) {
        Some(at) => (&input[..at], Some(&input[at + separator.len()..])),
        None => (input, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let headers = [("accept", "a"), ("accept", "b"), ("host", "")];
        let text = Message::write("GET", "/a b", &headers, "{\n}", Some("1\n%%\n2"));
        let read = Message::read(text.as_bytes()).unwrap();
        assert_eq!(
            (read.method, read.target, read.body),
            ("GET", &b"/a b"[..], &b"{\n}"[..])
        );
        assert_eq!(read.headers.get_all("accept").iter().count(), 2);
        assert_eq!(read.headers["host"], "");
        assert_eq!(read.rest, Some(&b"1\n%%\n2"[..]));
        let read = Message::read(b"x").unwrap();
        assert_eq!(
            (read.method, read.target, read.body, read.rest),
            ("x", &b""[..], &b""[..], None)
        );
    }
}
