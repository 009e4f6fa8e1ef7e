//! The forms in which a value turns up.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::worth::Unit;

/// How a form writes the bytes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As they are, or with some of them escaped.
    Text,
    /// Only those characters that depend on no byte around the value.
    Base64,
    Hex,
}

/// One form of a value.
#[derive(Clone)]
pub(super) struct Form {
    pub(super) encoding: Encoding,
    pub(super) bytes: Vec<u8>,
    /// For each byte, whether no other text shares it.
    pub(super) strong: Vec<bool>,
}

/// All forms, each once.
pub(super) fn forms(unit: &Unit) -> Vec<Form> {
    let plain = Form {
        encoding: Encoding::Text,
        bytes: unit.bytes.clone(),
        strong: unit.strong.clone(),
    };
    let mut all = Vec::with_capacity(8);
    for offset in 0..3 {
        let form = base64(unit, offset);
        if form.bytes.iter().any(|byte| b"+/".contains(byte)) {
            let mut url = form.clone();
            for byte in &mut url.bytes {
                match *byte {
                    b'+' => *byte = b'-',
                    b'/' => *byte = b'_',
                    _ => {}
                }
            }
            all.push(url);
        }
        all.push(form);
    }
    let hex = hex(unit);
    if hex.bytes.iter().any(u8::is_ascii_lowercase) {
        let mut upper = hex.clone();
        upper.bytes.make_ascii_uppercase();
        all.push(upper);
    }
    all.push(hex);
    if let Ok(text) = std::str::from_utf8(&unit.bytes) {
        let mut escaped: Vec<Form> = Vec::new();
        for escape in JSON.iter().chain(URL) {
            let form = escape_each(text, &unit.strong, *escape);
            if form.bytes != plain.bytes && escaped.iter().all(|other| other.bytes != form.bytes) {
                escaped.push(form);
            }
        }
        // In JSON inside JSON.
        let once = escape_each(text, &unit.strong, json);
        if let Ok(text) = std::str::from_utf8(&once.bytes) {
            let twice = escape_each(text, &once.strong, json);
            if twice.bytes != once.bytes {
                escaped.push(twice);
            }
        }
        all.append(&mut escaped);
    }
    all.push(plain);
    all
}

fn base64(unit: &Unit, offset: usize) -> Form {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(&unit.bytes);
    let encoded = STANDARD_NO_PAD.encode(&bytes);
    // A character holds six bits; those that share one with a byte around the value are left out.
    let first = (offset * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    let bytes = encoded.as_bytes().get(first..end).unwrap_or_default().to_vec();
    let strong = (first..end).map(|at| is_strong(unit, (at * 6 / 8).saturating_sub(offset)));
    Form {
        encoding: Encoding::Base64,
        strong: strong.collect(),
        bytes,
    }
}

fn hex(unit: &Unit) -> Form {
    let bytes = hex::encode(&unit.bytes).into_bytes();
    Form {
        encoding: Encoding::Hex,
        strong: (0..bytes.len()).map(|at| is_strong(unit, at / 2)).collect(),
        bytes,
    }
}

fn is_strong(unit: &Unit, at: usize) -> bool {
    unit.strong.get(at).copied().unwrap_or(false)
}

type Escape = fn(char, &mut String);

/// The ways of serde_json and most others; Go, which hides HTML; PHP, which escapes slashes; Python, which knows ASCII only.
const JSON: &[Escape] = &[
    json,
    |char, out| match char {
        '<' | '>' | '&' => unicode(char, out),
        other => json(other, out),
    },
    |char, out| match char {
        '/' => out.push_str("\\/"),
        other => json(other, out),
    },
    |char, out| {
        if char.is_ascii() {
            json(char, out);
        } else {
            unicode(char, out);
        }
    },
];

/// All that is reserved escaped, in the upper or the lower case; as JavaScript's `encodeURIComponent`; as Go's user
/// information; as a field of a form.
const URL: &[Escape] = &[
    |char, out| percent(char, "-_.~", false, out),
    |char, out| percent(char, "-_.~", true, out),
    |char, out| percent(char, "-_.~!*'()", false, out),
    |char, out| percent(char, "-_.~$&+,;=", false, out),
    |char, out| match char {
        ' ' => out.push('+'),
        other => percent(other, "-_.*", false, out),
    },
];

fn json(char: char, out: &mut String) {
    match char {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        '\n' => out.push_str("\\n"),
        '\u{0}'..='\u{1f}' => unicode(char, out),
        other => out.push(other),
    }
}

fn unicode(char: char, out: &mut String) {
    for unit in char.encode_utf16(&mut [0; 2]) {
        // Writing to a string never fails.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

fn percent(char: char, plain: &str, is_lower: bool, out: &mut String) {
    if char.is_ascii_alphanumeric() || plain.contains(char) {
        out.push(char);
        return;
    }
    for byte in char.encode_utf8(&mut [0; 4]).bytes() {
        let _ = if is_lower {
            write!(out, "%{byte:02x}")
        } else {
            write!(out, "%{byte:02X}")
        };
    }
}

fn escape_each(text: &str, strong: &[bool], escape: Escape) -> Form {
    let (mut out, mut out_strong) = (String::with_capacity(text.len()), Vec::with_capacity(text.len()));
    for (at, char) in text.char_indices() {
        escape(char, &mut out);
        out_strong.resize(out.len(), strong.get(at).copied().unwrap_or(false));
    }
    Form {
        encoding: Encoding::Text,
        bytes: out.into_bytes(),
        strong: out_strong,
    }
}
