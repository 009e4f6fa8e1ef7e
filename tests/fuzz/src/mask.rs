//! The masker: an answer to a request, whole and in pieces.

use std::sync::LazyLock;

use countersign_core::json::{Object, Value};
use countersign_core::mask::{MARKER, MaskErrorKind, Masker, Plan, Report};
use countersign_core::request::Gate;
use http::{HeaderMap, StatusCode};

use crate::blocks::{self, Baseline, Level, Masks, Quoted, Run, Strings, words::Words};
use crate::message::Message;
use crate::new_gate;

static GATE: LazyLock<Gate> = LazyLock::new(new_gate);

/// Bodies up to this size are cut at every place.
const SHORT: usize = 300;

/// How an answer came out.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    out: Vec<u8>,
    end: Result<Report, MaskErrorKind>,
}

/// Masks the body as the answer to the request, with the headers (and `status`) as those of the answer; whether it comes
/// out whole.
///
/// # Panics
/// If what comes out depends on how the answer is cut; if it is not what came in but for values that are masked; or if
/// the ways to look at blocks of bytes disagree.
pub fn check(input: &[u8]) -> bool {
    check_blocks(input);
    let Some(message) = Message::read(input) else {
        return false;
    };
    let Some((plan, status)) = plan(&message) else {
        return false;
    };
    let Ok(masker) = Masker::new(&plan, status, &message.headers) else {
        return false;
    };
    let body = message.body;
    let whole = feed(masker, [body]);
    for cuts in cuts(input, body.len()) {
        let masker = Masker::new(&plan, status, &message.headers).expect("a masker once more");
        let pieces = cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]);
        assert_eq!(feed(masker, pieces), whole, "cut at {cuts:?}");
    }
    if status.is_success() {
        check_output(body, &whole);
    }
    whole.end.is_ok()
}

fn plan(message: &Message<'_>) -> Option<(Plan, StatusCode)> {
    let head = GATE
        .head(GATE.target(message.method, message.target).ok()?, &HeaderMap::new())
        .ok()?;
    let request = head.with_body(b"").ok()?;
    let plan = Plan::new(request.attributes(), request.kind(), &[]).hiding_namespace("agent-guard");
    let status = message
        .headers
        .get("status")
        .map_or(Ok(StatusCode::OK), |status| StatusCode::from_bytes(status.as_bytes()));
    Some((plan, status.ok()?))
}

fn feed<'b>(mut masker: Masker, pieces: impl IntoIterator<Item = &'b [u8]>) -> Outcome {
    let mut out = Vec::new();
    let mut pieces = pieces.into_iter();
    let end = pieces
        .try_for_each(|piece| masker.push(piece, &mut out))
        .and_then(|()| masker.finish(&mut out));
    assert_eq!(masker.has_emitted(), !out.is_empty());
    if let Err(error) = &end {
        let before = out.len();
        assert_eq!(masker.push(b" ", &mut out), Err(*error), "an error stays");
        assert_eq!(out.len(), before, "nothing comes after an error");
    }
    Outcome {
        out,
        end: end.map_err(|error| error.kind()),
    }
}

/// Ways to cut a body: byte by byte, a few places that the input picks, and every single place of a short one.
fn cuts(input: &[u8], length: usize) -> Vec<Vec<usize>> {
    let mut dice = input.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |dice, byte| {
        (dice ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    let mut pick = || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        usize::try_from(dice >> 33).expect("31 bits") % (length + 1)
    };
    let mut ways = vec![(0..=length).collect::<Vec<_>>()];
    for count in 1..4 {
        let mut places: Vec<usize> = (0..count).map(|_| pick()).chain([0, length]).collect();
        places.sort_unstable();
        ways.push(places);
    }
    if length <= SHORT {
        ways.extend((0..=length).map(|place| vec![0, place, length]));
    }
    ways
}

/// Compares what came out of a success to what went in.
fn check_output(body: &[u8], whole: &Outcome) {
    let Outcome { out, end: Ok(report) } = whole else {
        return;
    };
    let Ok(out) = std::str::from_utf8(out) else {
        assert!(std::str::from_utf8(body).is_err(), "text became something else");
        return;
    };
    // One value; a watch is many.
    let (Ok(before), Ok(after)) = (Value::parse(body), Value::parse(out.as_bytes())) else {
        assert!(
            Value::parse(body).is_err() || out.is_empty(),
            "{out} came out of valid JSON"
        );
        return;
    };
    if has_kind(&before, "Status") {
        // Much of it is made anew.
        return;
    }
    let removes = std::str::from_utf8(body).is_ok_and(|text| text.contains("managedFields") || text.contains("\\u"));
    if report.masked() == 0 && report.hidden() == 0 && !removes {
        assert_eq!(out.as_bytes(), body, "nothing was masked");
    }
    if report.hidden() == 0 {
        compare(&before, &after);
    }
}

fn has_kind(value: &Value, kind: &str) -> bool {
    match value {
        Value::Object(object) => object
            .iter()
            .any(|(key, member)| (key == "kind" && member.as_str() == Some(kind)) || has_kind(member, kind)),
        Value::Array(elements) => elements.iter().any(|element| has_kind(element, kind)),
        _ => false,
    }
}

/// Whether one value is another with masked scalars, and nothing else different.
fn compare(before: &Value, after: &Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => compare_objects(before, after),
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len());
            before
                .iter()
                .zip(after)
                .for_each(|(before, after)| compare(before, after));
        }
        (Value::String(before), Value::String(after)) => {
            assert!(
                before == after || is_masked(before, after),
                "{before:?} became {after:?}"
            );
        }
        (Value::Number(before), Value::Number(after)) => {
            assert!(before == after || after == "0", "{before} became {after}");
        }
        (before, after) => assert_eq!(before, after),
    }
}

fn compare_objects(before: &Object, after: &Object) {
    let mut left = after.iter();
    for (key, value) in before.iter() {
        // The one thing that is taken away, anywhere in metadata.
        let is_kept = after.get(key).is_some();
        assert!(is_kept || key == "managedFields", "{key} is gone");
        if is_kept {
            let (found, masked) = left.next().expect("as many members as before");
            assert_eq!(found, key, "the order of keys");
            compare(value, masked);
        }
    }
    assert!(left.next().is_none(), "members that were not there");
}

/// Whether a text is another one with something masked: the marker is in it, in some form, or JSON in it is masked.
fn is_masked(before: &str, after: &str) -> bool {
    if after.contains(MARKER) || after.contains("Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl") {
        return true;
    }
    match (Value::parse(before.as_bytes()), Value::parse(after.as_bytes())) {
        (Ok(before), Ok(after)) => {
            compare(&before, &after);
            true
        }
        _ => false,
    }
}

/// The masks of a block, and the strings in it, from a state.
struct Looked<'b> {
    block: &'b [u8; 64],
    strings: Strings,
}

impl Run for Looked<'_> {
    type Out = (Masks, Quoted, Strings);

    fn run<L: Level>(mut self) -> Self::Out {
        let masks = L::masks(self.block);
        let quoted = self.strings.follow::<L>(&masks);
        (masks, quoted, self.strings)
    }
}

/// All ways to look at blocks say the same, byte by byte too.
fn check_blocks(bytes: &[u8]) {
    let (mut strings, mut inside, mut is_escaped) = (Strings::default(), false, false);
    for part in bytes.chunks(64) {
        let mut room = [0; 64];
        let block = blocks::first(part, &mut room).expect("chunks are not empty");
        let fastest = blocks::run(Looked { block, strings });
        assert_eq!(fastest, Looked { block, strings }.run::<Baseline>());
        assert_eq!(fastest, Looked { block, strings }.run::<Words>());
        let (masks, quoted, next) = fastest;
        for (at, byte) in block.iter().enumerate() {
            let was_escaped = std::mem::replace(&mut is_escaped, false);
            is_escaped = *byte == b'\\' && !was_escaped;
            let is_quote = *byte == b'"' && !was_escaped;
            inside ^= is_quote;
            let expected = [
                (masks.quotes, *byte == b'"'),
                (masks.backslashes, *byte == b'\\'),
                (masks.opens, matches!(byte, b'{' | b'[')),
                (masks.closes, matches!(byte, b'}' | b']')),
                (masks.squares, matches!(byte, b'[' | b']')),
                (masks.controls, *byte < 0x20),
                (quoted.quotes, is_quote),
                (quoted.inside, inside),
                (quoted.escaped, was_escaped),
            ];
            for (number, (mask, is_set)) in expected.into_iter().enumerate() {
                assert_eq!(mask >> at & 1 == 1, is_set, "mask {number} of {byte:#x} at {at}");
            }
        }
        strings = next;
    }
    for from in 0..bytes.len().min(80) {
        let rest = &bytes[from..];
        let special = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
        assert_eq!(blocks::plain(rest), special.unwrap_or(rest.len()));
    }
}
