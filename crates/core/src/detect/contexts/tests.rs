use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use crate::detect::{Detectors, Text};

use super::*;

/// What is masked is between guillemets.
fn check(detect: impl Fn(&[u8], &mut Hits), marked: &str) -> Option<String> {
    let text = marked.replace(['«', '»'], "");
    let mut hits = Hits::default();
    detect(text.as_bytes(), &mut hits);
    let mut shown = String::new();
    let mut from = 0;
    for hit in hits.merged() {
        assert!(RULES.contains(&hit.rule.as_str()), "{}", hit.rule);
        shown += text.get(from..hit.range.start).unwrap();
        shown += &format!("«{}»", text.get(hit.range.clone()).unwrap());
        from = hit.range.end;
    }
    shown += text.get(from..).unwrap();
    (shown != marked).then(|| format!("\n  want {marked:?}\n  got  {shown:?}"))
}

fn table(rows: &str) {
    let detectors = Detectors::of_contexts();
    let wrong: Vec<String> = rows
        .split('\n')
        .filter(|row| !row.is_empty())
        .map(|row| row.replace("⏎", "\n"))
        .filter_map(|row| check(|text, hits| detectors.detect(text, hits), &row))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:{}", wrong.len(), wrong.concat());
}

#[test]
fn assignments() {
    table(include_str!("samples/assignments.txt"));
}

#[test]
fn prose_and_look_alikes() {
    table(include_str!("samples/lookalikes.txt"));
}

#[test]
fn headers() {
    table(include_str!("samples/headers.txt"));
}

#[test]
fn commands() {
    table(include_str!("samples/commands.txt"));
}

#[test]
fn lines_of_files() {
    table(include_str!("samples/files.txt"));
}

#[test]
fn encodings() {
    table(include_str!("samples/encoded.txt"));
}

#[test]
fn one_of_each() {
    table(include_str!("samples/mixed.txt"));
}

fn zipped(text: &[u8]) -> String {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(text).unwrap();
    STANDARD.encode(writer.finish().unwrap())
}

#[test]
fn a_bomb_in_a_bomb_is_not_unpacked() {
    let mut text = "x ".repeat(1 << 20);
    for _ in 0..3 {
        text = format!("{} ", zipped(text.as_bytes())).repeat(200);
    }
    let mut hits = Hits::default();
    Detectors::of_contexts().detect(text.as_bytes(), &mut hits);
    assert!(hits.is_empty());
}

/// What texts are made of that this looks at.
const PIECES: [&str; 72] = [
    "password",
    "token",
    "Authorization",
    "Cookie",
    "key",
    "api_key",
    "=",
    ":",
    " ",
    "\"",
    "'",
    "\\",
    "\\\"",
    "\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    ";",
    "&",
    "@",
    "://",
    "/",
    "mysql -p",
    "curl -u ",
    "hunter2",
    "a",
    "%41",
    "\\u0041",
    "<password>",
    "</",
    "Bearer ",
    "- ",
    "|",
    "name: DB_PASSWORD",
    "value: ",
    "#",
    "$(",
    "${",
    "\"\"\"",
    "cGFzc3dvcmQ9aHVudGVyMg==",
    ":*:",
    "kty",
    "form-data; name=\"token\"",
    "\"type\": \"random_password\"",
    "\"result\": ",
    "- oc login -p ",
    "vault kv put a b=",
    "npm config set :_authToken ",
    "expect \"assword:\"",
    "send -- \"x12345678\\r\"",
    "LoginModule required",
    "user_a=\"",
    "<auth-user-pass>",
    "tokens {",
    "a = \"2c313ece-f1f3-48d2-9cfd-9a5629f19871\"",
    "keyName",
    "use the following password:",
    "stats auth ",
    "createUser bob SHA ",
    "]:587 ",
    ",1,\"system:",
    "\" \"",
    "A_SALT",
    "docker secret create - <<< ",
    "<(echo ",
    "env('A', ",
    "--",
    "é",
    "\r",
    "\0",
];

proptest! {
    #[test]
    fn any_text_is_looked_at(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60), cut in 1_usize..9) {
        let text = pieces.concat();
        let detectors = Detectors::of_contexts();
        let mut hits = Hits::default();
        detectors.detect(text.as_bytes(), &mut hits);
        for hit in hits.as_slice() {
            prop_assert!(hit.range.start < hit.range.end && hit.range.end <= text.len(), "{hit:?}");
        }
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        let mut stream = Text::new(detectors.clone());
        stream.push(text.as_bytes(), &mut whole);
        stream.finish(&mut whole);
        let mut stream = Text::new(detectors);
        for part in text.as_bytes().chunks(cut) {
            stream.push(part, &mut parts);
        }
        stream.finish(&mut parts);
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn json_stays_json(keys in prop::collection::vec(prop::sample::select(&PIECES[..]), 1..6), pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..30)) {
        let inner = serde_json::json!({ keys.concat(): pieces.concat(), "pin": 1234 }).to_string();
        let text = serde_json::json!({ "log": inner, keys.concat(): [pieces.concat()], "n": 123_456 }).to_string();
        let mut hits = Hits::default();
        Detectors::of_contexts().detect(text.as_bytes(), &mut hits);
        let mut out = Vec::new();
        hits.replace(text.as_bytes(), &mut out, |_| ());
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok(), "{}", String::from_utf8_lossy(&out));
    }
}
