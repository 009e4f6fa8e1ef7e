//! Request headers: an allowlist. What is not on it is dropped and remembered by name; what is hostile is refused.
//!
//! 1. Identity, method overrides, encodings of the body and non-ASCII values are refused with 403, never dropped: no
//!    honest client sends them here, and a caller that tries should show up in the record.
//! 2. `Connection` may say `close`, `keep-alive` and `upgrade`. Anything else could make a later hop delete a header
//!    that the guard adds.

use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

use super::quote::Quoted;
use crate::refusal::{Class, Refusal};

const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 32 * 1024;
const MAX_USER_AGENT: usize = 256;

/// Headers that say who asks: the guard alone says that.
const IDENTITY: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];
const IDENTITY_PREFIXES: [&str; 2] = ["impersonate-", "x-remote-"];
/// Headers that make something else of the request than it seems to be.
const DISGUISES: [&str; 4] = [
    "x-http-method-override",
    "x-method-override",
    "x-http-method",
    "content-encoding",
];
/// Headers of which two would be read differently by two parties.
const SINGLE: [&str; 4] = ["content-type", "content-length", "host", "upgrade"];

/// Upstream authenticates from a subprotocol of this prefix.
const BEARER_PROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";

/// What is left of the headers.
#[derive(Debug, Default)]
pub(super) struct Headers<'a> {
    accept: SmallVec<[&'a str; 1]>,
    pub(super) content_type: Option<&'a str>,
    pub(super) user_agent: Option<String>,
    pub(super) dropped: Vec<String>,
    /// Lines of `Connection`.
    pub(super) connection: Vec<&'a str>,
    /// `Upgrade`.
    pub(super) upgrade: Option<&'a str>,
    pub(super) handshake: Handshake<'a>,
}

/// What a WebSocket handshake says of itself.
#[derive(Debug, Default)]
pub(super) struct Handshake<'a> {
    /// Lines of `Sec-WebSocket-Protocol`.
    pub(super) protocols: Vec<&'a str>,
    pub(super) key: Option<&'a str>,
    pub(super) version: Option<&'a str>,
}

impl<'a> Headers<'a> {
    /// Sorts the headers. `refused` names headers that are hostile in this deployment.
    pub(super) fn read(headers: &'a HeaderMap, refused: &[HeaderName]) -> Result<Self, Refusal> {
        if headers.len() > MAX_HEADERS {
            return Err(Refusal::malformed(format!("more than {MAX_HEADERS} headers")));
        }
        let size: usize = headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        if size > MAX_HEADER_BYTES {
            return Err(Refusal::malformed(format!(
                "more than {MAX_HEADER_BYTES} bytes of headers"
            )));
        }
        let mut read = Self::default();
        let mut body_length = (false, false);
        for (name, value) in headers {
            refuse_hostile(name, refused)?;
            refuse_duplicates(name, headers)?;
            let value = plain(name, value)?;
            match name.as_str() {
                "accept" => read.accept.push(value),
                "content-type" => read.content_type = Some(value),
                "user-agent" => {
                    read.user_agent.get_or_insert_with(|| sanitised(value));
                }
                "connection" => read.connection.push(value),
                "upgrade" => read.upgrade = Some(value),
                "sec-websocket-protocol" => read.handshake.protocols.push(value),
                "sec-websocket-key" => read.handshake.key = Some(value),
                "sec-websocket-version" => read.handshake.version = Some(value),
                // Ours, whatever the caller's says.
                "host" | "accept-encoding" => {}
                "content-length" => body_length.0 = true,
                "transfer-encoding" => body_length.1 = true,
                other => read.drop(other),
            }
        }
        if body_length == (true, true) {
            return Err(hostile("Content-Length and Transfer-Encoding together"));
        }
        read.refuse_connection_tokens()?;
        read.refuse_bearer_protocol()?;
        Ok(read)
    }

    /// Values of `Accept`.
    pub(super) fn accept(&self) -> impl Iterator<Item = &'a str> + Clone {
        self.accept.iter().copied()
    }

    /// Remembers a header that is not forwarded.
    pub(super) fn drop(&mut self, name: &str) {
        if self.dropped.last().is_none_or(|last| last != name) {
            self.dropped.push(name.to_owned());
        }
    }

    /// The words of all lines of `Connection`.
    pub(super) fn connection_tokens(&self) -> impl Iterator<Item = &'a str> {
        list(&self.connection)
    }

    fn refuse_connection_tokens(&self) -> Result<(), Refusal> {
        let allowed = ["close", "keep-alive", "upgrade"];
        let wrong = self
            .connection_tokens()
            .find(|token| !allowed.iter().any(|word| token.eq_ignore_ascii_case(word)));
        match wrong {
            None => Ok(()),
            Some(token) => Err(hostile(&format!("Connection names {}", Quoted(token)))
                .with_remedy("leave it at `keep-alive`, `close` or `Upgrade`")),
        }
    }

    fn refuse_bearer_protocol(&self) -> Result<(), Refusal> {
        let mut protocols = list(&self.handshake.protocols);
        if protocols.any(|protocol| starts_with_ignore_case(protocol, BEARER_PROTOCOL)) {
            return Err(identity("a bearer token in Sec-WebSocket-Protocol"));
        }
        Ok(())
    }
}

fn refuse_hostile(name: &HeaderName, refused: &[HeaderName]) -> Result<(), Refusal> {
    let text = name.as_str();
    if IDENTITY.contains(&text)
        || IDENTITY_PREFIXES.iter().any(|prefix| text.starts_with(prefix))
        || refused.contains(name)
    {
        return Err(identity(&format!("header {}", Quoted(text))));
    }
    if DISGUISES.contains(&text) {
        return Err(hostile(&format!("header {}", Quoted(text))).with_remedy("leave it out"));
    }
    Ok(())
}

fn refuse_duplicates(name: &HeaderName, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = name.as_str();
    let single = SINGLE.contains(&text) || (text.starts_with("sec-websocket-") && text != "sec-websocket-protocol");
    if single && headers.get_all(name).iter().nth(1).is_some() {
        return Err(hostile(&format!("header {} twice", Quoted(text))));
    }
    Ok(())
}

fn plain<'a>(name: &HeaderName, value: &'a HeaderValue) -> Result<&'a str, Refusal> {
    let bytes = value.as_bytes();
    // All bytes at once: faster than to stop at the first that is wrong, which hardly any is.
    if !bytes.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~')) {
        let message = format!("a control or non-ASCII byte in header {}", Quoted(name.as_str()));
        return Err(hostile(&message));
    }
    std::str::from_utf8(bytes).map_err(|_| hostile("a header that is not ASCII"))
}

/// A header that claims an identity.
fn identity(what: &str) -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        Class::Identity,
        format!("{what} is not accepted"),
    )
    .with_remedy("who asks is known to the guard; leave it out")
}

/// A header that is up to no good.
pub(super) fn hostile(what: &str) -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        Class::Unsupported,
        format!("{what} is not accepted"),
    )
}

/// The elements of a comma list that may stand in several lines; empty ones are none.
pub(super) fn list<'a>(values: &[&'a str]) -> impl Iterator<Item = &'a str> {
    values
        .iter()
        .flat_map(|value| value.split(','))
        .map(|element| element.trim_matches([' ', '\t']))
        .filter(|element| !element.is_empty())
}

fn starts_with_ignore_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Printable ASCII already; cut, since it is a suffix of ours.
fn sanitised(user_agent: &str) -> String {
    user_agent.get(..MAX_USER_AGENT).unwrap_or(user_agent).to_owned()
}
