//! URLs, read as Go's `net/url` reads them.

use std::rc::Rc;

use percent_encoding::percent_decode_str;

use super::{Function, Overload, Ty, global, member, overload, reader};
use crate::policy::condition::fault::{Fault, Meter};
use crate::policy::condition::value::{Map, Value};

/// A URL in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::policy::condition) struct Url {
    scheme: String,
    host: String,
    path: String,
    query: String,
    fragment: String,
    opaque: String,
    user: String,
}

const PART: &[Overload] = &[overload(&[Ty::Url], Ty::Text)];

pub(super) const FUNCTIONS: &[Function] = &[
    reader("url", &[overload(&[Ty::Text], Ty::Url)], |meter, arguments| {
        let text = text(meter, arguments)?;
        let wrong = || Fault::new("the text is no URL: write it as in `https://example.com/path`");
        // As a request's first: that one must not be relative.
        Url::parse(text, true).ok_or_else(wrong)?;
        let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut url = Url::parse(before, false).ok_or_else(wrong)?;
        fragment.clone_into(&mut url.fragment);
        Ok(Value::Url(Rc::new(url)))
    }),
    global("isURL", &[overload(&[Ty::Text], Ty::Bool)], |meter, arguments| {
        let text = text(meter, arguments)?;
        Ok(Value::Bool(Url::parse(text, true).is_some()))
    }),
    member("getScheme", PART, |_, arguments| part(arguments, |url| &url.scheme)),
    member("getHost", PART, |_, arguments| part(arguments, |url| &url.host)),
    member("getHostname", PART, |_, arguments| {
        part(arguments, |url| url.host_and_port().0)
    }),
    member("getPort", PART, |_, arguments| {
        part(arguments, |url| url.host_and_port().1)
    }),
    member("getEscapedPath", PART, |_, arguments| part(arguments, |url| &url.path)),
    member(
        "getQuery",
        &[overload(&[Ty::Url], Ty::Map)],
        |meter, arguments| match arguments {
            [Value::Url(url)] => {
                meter.charge(url.query.len())?;
                Ok(Value::Map(url.query_map()))
            }
            _ => Err(Fault::Overload),
        },
    ),
];

fn text<'a>(meter: &mut Meter, arguments: &'a [Value<'_>]) -> Result<&'a str, Fault> {
    let [Value::Text(text)] = arguments else {
        return Err(Fault::Overload);
    };
    meter.charge(text.as_str().len())?;
    Ok(text.as_str())
}

fn part<'v>(arguments: &[Value<'v>], part: impl Fn(&Url) -> &str) -> Result<Value<'v>, Fault> {
    match arguments {
        [Value::Url(url)] => Ok(Value::owned(part(url))),
        _ => Err(Fault::Overload),
    }
}

impl Url {
    /// `url.ParseRequestURI` if it is a request's, else `url.Parse` of what comes before the fragment.
    pub(super) fn parse(text: &str, of_request: bool) -> Option<Self> {
        if text.bytes().any(|byte| byte.is_ascii_control()) || (of_request && text.is_empty()) {
            return None;
        }
        let mut url = Self {
            scheme: String::new(),
            host: String::new(),
            path: String::new(),
            query: String::new(),
            fragment: String::new(),
            opaque: String::new(),
            user: String::new(),
        };
        if text == "*" {
            url.path = text.to_owned();
            return Some(url);
        }
        let (scheme, rest) = split_scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        query.clone_into(&mut url.query);
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                rest.clone_into(&mut url.opaque);
                return Some(url);
            }
            let first = rest.split('/').next().unwrap_or_default();
            if of_request || first.contains(':') {
                return None;
            }
        }
        let has_authority = !scheme.is_empty() || (!of_request && !rest.starts_with("///"));
        let path = match rest.strip_prefix("//").filter(|_| has_authority) {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let (authority, path) = rest.split_at_checked(end)?;
                url.authority(authority)?;
                path
            }
            None => rest,
        };
        url.path = escaped_path(path)?;
        Some(url)
    }

    fn authority(&mut self, authority: &str) -> Option<()> {
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
        if !user.bytes().all(plain) || !valid_escapes(user) {
            return None;
        }
        user.clone_into(&mut self.user);
        let port = if host.starts_with('[') {
            let (_, port) = host.rsplit_once(']')?;
            port
        } else {
            host.rfind(':').and_then(|at| host.get(at..)).unwrap_or("")
        };
        if !(port.is_empty() || port.strip_prefix(':')?.bytes().all(|byte| byte.is_ascii_digit())) {
            return None;
        }
        // Escapes are for what is not ASCII, and for the zone of an address.
        let mut escapes = host.match_indices('%').map(|(at, _)| host.get(at + 1..at + 3));
        if !escapes.all(|digits| digits.is_some_and(|digits| digits == "25" || digits > "7f")) || !valid_escapes(host) {
            return None;
        }
        let allowed =
            |byte: u8| !byte.is_ascii() || byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"%".contains(&byte);
        if !host.bytes().all(allowed) {
            return None;
        }
        self.host = percent_decode_str(host).decode_utf8_lossy().into_owned();
        Some(())
    }

    fn host_and_port(&self) -> (&str, &str) {
        let (host, port) = match self.host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !port.contains(']') => (host, port),
            _ => (self.host.as_str(), ""),
        };
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        (inner.unwrap_or(host), port)
    }

    /// Names to all their values; what can't be read is left out.
    fn query_map<'v>(&self) -> Map<'v> {
        let mut entries: Vec<(String, Vec<Value<'v>>)> = Vec::new();
        for pair in self
            .query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.contains(';'))
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| {
                let text = text.replace('+', " ");
                valid_escapes(&text).then(|| percent_decode_str(&text).decode_utf8_lossy().into_owned())
            };
            let (Some(name), Some(value)) = (decode(name), decode(value)) else {
                continue;
            };
            let value = Value::owned(value);
            match entries.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(value),
                None => entries.push((name, vec![value])),
            }
        }
        let entries: Vec<_> = entries
            .into_iter()
            .map(|(name, values)| (Value::owned(name), Value::list(values)))
            .collect();
        Map::Made(entries.into())
    }
}

/// The scheme, empty if there is none; nothing if there ought to be one.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return None,
            b':' => return Some((text.get(..at)?, text.get(at + 1..)?)),
            _ => break,
        }
    }
    Some(("", text))
}

fn valid_escapes(text: &str) -> bool {
    text.match_indices('%').all(|(at, _)| {
        let digits = text.get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    })
}

/// The path as it was written, or escaped if it was not.
fn escaped_path(path: &str) -> Option<String> {
    if !valid_escapes(path) {
        return None;
    }
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte);
    if path.bytes().all(|byte| unreserved(byte) || b"!'()*[]%".contains(&byte)) {
        return Some(path.to_owned());
    }
    let mut escaped = String::with_capacity(path.len() + 8);
    for byte in percent_decode_str(path) {
        if unreserved(byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(escaped)
}
