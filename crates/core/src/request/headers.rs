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

/// What the guard makes of a header, by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Accept,
    ContentType,
    ContentLength,
    TransferEncoding,
    UserAgent,
    Connection,
    Upgrade,
    Protocol,
    Key,
    Version,
    /// Of a handshake, and of no use.
    Handshake,
    Host,
    AcceptEncoding,
    /// It says who asks: the guard alone says that.
    Identity,
    /// It makes something else of the request than it seems to be.
    Disguise,
    Other,
}

impl Name {
    fn of(text: &str) -> Self {
        match text {
            "accept" => Self::Accept,
            "content-type" => Self::ContentType,
            "content-length" => Self::ContentLength,
            "transfer-encoding" => Self::TransferEncoding,
            "user-agent" => Self::UserAgent,
            "connection" => Self::Connection,
            "upgrade" => Self::Upgrade,
            "host" => Self::Host,
            "accept-encoding" => Self::AcceptEncoding,
            "sec-websocket-protocol" => Self::Protocol,
            "sec-websocket-key" => Self::Key,
            "sec-websocket-version" => Self::Version,
            "authorization" | "proxy-authorization" | "cookie" => Self::Identity,
            "x-http-method-override" | "x-method-override" | "x-http-method" | "content-encoding" => Self::Disguise,
            _ if text.starts_with("impersonate-") || text.starts_with("x-remote-") => Self::Identity,
            _ if text.starts_with("sec-websocket-") => Self::Handshake,
            _ => Self::Other,
        }
    }

    /// Whether two of it would be read differently by two parties.
    fn is_single(self) -> bool {
        matches!(
            self,
            Self::ContentType
                | Self::ContentLength
                | Self::Host
                | Self::Upgrade
                | Self::Key
                | Self::Version
                | Self::Handshake
        )
    }
}

/// Upstream authenticates from a subprotocol of this prefix.
const BEARER_PROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";

/// What is left of the headers.
#[derive(Debug, Default)]
pub(super) struct Headers<'a> {
    accept: SmallVec<[&'a str; 1]>,
    pub(super) content_type: Option<&'a str>,
    pub(super) user_agent: Option<String>,
    pub(super) dropped: Vec<String>,
    /// What is said of the connection, if anything is: most requests say nothing.
    pub(super) connection: Option<Box<Connection<'a>>>,
}

/// What is said of the connection.
#[derive(Debug, Default)]
pub(super) struct Connection<'a> {
    /// Lines of `Connection`.
    pub(super) lines: Vec<&'a str>,
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
    pub(super) fn read(&mut self, headers: &'a HeaderMap, refused: &[HeaderName]) -> Result<(), Refusal> {
        if headers.len() > MAX_HEADERS {
            return Err(Refusal::malformed(format!("more than {MAX_HEADERS} headers")));
        }
        let mut size = 0_usize;
        if let Err(refusal) = self.sort(headers, refused, &mut size) {
            // Headers that are too large are that before anything else.
            let lens = headers.iter().map(|(name, value)| name.as_str().len() + value.len());
            check_size(lens.sum())?;
            return Err(refusal);
        }
        check_size(size)
    }

    fn sort(&mut self, headers: &'a HeaderMap, refused: &[HeaderName], size: &mut usize) -> Result<(), Refusal> {
        let mut body_length = (false, false);
        for (header, value) in headers {
            let text = header.as_str();
            *size += text.len() + value.len();
            let name = Name::of(text);
            if name == Name::Identity || refused.contains(header) {
                return Err(identity(&format!("header {}", Quoted(text))));
            }
            if name == Name::Disguise {
                let what = format!("header {}", Quoted(text));
                return Err(hostile(&what).with_remedy("leave it out"));
            }
            if name.is_single() && headers.get_all(header).iter().nth(1).is_some() {
                return Err(hostile(&format!("header {} twice", Quoted(text))));
            }
            let Some(value) = plain(value) else {
                let message = format!("a control or non-ASCII byte in header {}", Quoted(text));
                return Err(hostile(&message));
            };
            match name {
                Name::Accept => self.accept.push(value),
                Name::ContentType => self.content_type = Some(value),
                Name::UserAgent => {
                    self.user_agent.get_or_insert_with(|| sanitised(value));
                }
                Name::Connection => self.connection().lines.push(value),
                Name::Upgrade => self.connection().upgrade = Some(value),
                Name::Protocol => self.connection().handshake.protocols.push(value),
                Name::Key => self.connection().handshake.key = Some(value),
                Name::Version => self.connection().handshake.version = Some(value),
                // Ours, whatever the caller's says.
                Name::Host | Name::AcceptEncoding => {}
                Name::ContentLength => body_length.0 = true,
                Name::TransferEncoding => body_length.1 = true,
                Name::Handshake | Name::Identity | Name::Disguise | Name::Other => self.drop(text),
            }
        }
        if body_length == (true, true) {
            return Err(hostile("Content-Length and Transfer-Encoding together"));
        }
        if let Some(connection) = &self.connection {
            connection.refuse_tokens()?;
            connection.refuse_bearer_protocol()?;
        }
        Ok(())
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

    fn connection(&mut self) -> &mut Connection<'a> {
        self.connection.get_or_insert_default()
    }
}

impl<'a> Connection<'a> {
    /// The words of all lines of `Connection`.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &'a str> {
        list(&self.lines)
    }

    fn refuse_tokens(&self) -> Result<(), Refusal> {
        let allowed = ["close", "keep-alive", "upgrade"];
        let wrong = self
            .tokens()
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

fn check_size(size: usize) -> Result<(), Refusal> {
    if size > MAX_HEADER_BYTES {
        return Err(Refusal::malformed(format!(
            "more than {MAX_HEADER_BYTES} bytes of headers"
        )));
    }
    Ok(())
}

/// A value as text, if it is printable ASCII.
fn plain(value: &HeaderValue) -> Option<&str> {
    let bytes = value.as_bytes();
    // All bytes at once: faster than to stop at the first that is wrong, which hardly any is.
    let plain = bytes.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'));
    plain.then(|| std::str::from_utf8(bytes).ok()).flatten()
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
