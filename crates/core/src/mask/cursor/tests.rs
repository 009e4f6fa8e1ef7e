//! What is passed over, read and refused; what is taken out.

use proptest::prelude::*;

use super::*;
use crate::json::{self, Value};

/// Takes out every member and element whose key or string is `x`.
fn without_x(text: &str) -> Result<String> {
    without_x_from(Cursor::new(text, 0), text)
}

fn without_x_from(mut cursor: Cursor<'_>, text: &str) -> Result<String> {
    fn walk(cursor: &mut Cursor<'_>, edits: &mut Edits) -> Result<()> {
        match cursor.shape()? {
            Shape::Object => {
                let mut object = cursor.object()?;
                while let Some(key) = cursor.member(&mut object, edits)? {
                    if key.is("x") {
                        cursor.remove_member(&mut object);
                    }
                    walk(cursor, edits)?;
                }
            }
            Shape::Array => {
                let mut array = cursor.array()?;
                while cursor.element(&mut array, edits)? {
                    let range = cursor.clone().skip()?;
                    if cursor.text_at(&range) == "\"x\"" {
                        cursor.remove_element(&mut array);
                    }
                    walk(cursor, edits)?;
                }
            }
            _ => _ = cursor.skip()?,
        }
        Ok(())
    }
    let mut edits = Edits::default();
    walk(&mut cursor, &mut edits)?;
    cursor.finish()?;
    let mut out = Vec::new();
    edits.apply(text.as_bytes(), &mut out);
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn takes_members_and_elements_out() {
    for (before, after) in [
        (r#"{"x":1}"#, "{}"),
        (r#"{ "x" : 1 , "y" : 2 }"#, r#"{ "y" : 2 }"#),
        (r#"{"y":1,"x":{"x":[]},"z":2}"#, r#"{"y":1,"z":2}"#),
        (r#"{"y":1 , "x":2 }"#, r#"{"y":1 }"#),
        (r#"["x","x","x"]"#, "[]"),
        (r#"["x","y","x","x"]"#, r#"["y"]"#),
        (r#"["y","x","z","x"]"#, r#"["y","z"]"#),
        (r#"[ {"x":"x"} ]"#, "[ {} ]"),
    ] {
        assert_eq!(without_x(before).as_deref(), Ok(after), "{before}");
    }
}

#[test]
fn refuses_what_is_no_json() {
    for text in [
        "",
        "{",
        "{}}",
        "[1,]",
        "{,}",
        "[1 2]",
        "{\"a\"}",
        "\"\u{1}\"",
        "\"\\x\"",
        "01",
        "nul",
    ] {
        assert_eq!(without_x(text), Err(MaskErrorKind::Malformed), "{text}");
    }
    assert_eq!(without_x(r#"{"a":1,"\u0061":2}"#), Err(MaskErrorKind::DuplicateKey));
    assert_eq!(without_x(&"[".repeat(MAX_DEPTH + 1)), Err(MaskErrorKind::TooDeep));
}

/// Texts that are nearly JSON, and often are.
fn any_text() -> impl Strategy<Value = String> {
    const PARTS: [&str; 22] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\":",
        "\"\"",
        "1",
        "null",
        "-0.5e+3",
        " ",
        "\n",
        "\u{1}",
        "\"",
        "\\",
        "\"\\\"\\\\\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\u{e9}{[\"",
        "{\"k\":[",
        "]}",
    ];
    let part = (0..PARTS.len()).prop_map(|part| PARTS[part].to_owned());
    let long = (0..200_usize).prop_map(|length| format!("\"{}\"", "x".repeat(length)));
    let value = part.prop_recursive(6, 60, 6, move |inner| {
        let inner = prop_oneof![4 => inner, 1 => long.clone()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|parts| format!("[{}]", parts.join(","))),
            prop::collection::vec(inner.clone(), 0..6).prop_map(|parts| {
                let members = parts
                    .iter()
                    .enumerate()
                    .map(|(key, value)| format!("\"{key}\" :{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(" , "))
            }),
            prop::collection::vec(inner, 0..4).prop_map(|parts| parts.concat()),
        ]
    });
    value.prop_map(|text| format!("[{text}]"))
}

proptest! {
    #[test]
    fn skips_and_reads_like_the_parser(text in any_text(), around in 0_usize..60) {
        let parsed = Value::parse_with_depth(text.as_bytes(), MAX_DEPTH - around);
        let start = Cursor::new(&text, around);
        let (mut skipping, mut reading) = (start.clone(), start.clone());
        let skipped = skipping.skip();
        let read = reading.read().and_then(|range| reading.finish().map(|()| range));
        match parsed {
            // All that is JSON is passed over, and to its end.
            Ok(_) => {
                prop_assert_eq!(skipped, Ok(0..text.len()), "{}", text);
                prop_assert_eq!(read, Ok(0..text.len()), "{}", text);
            }
            // What is read is as strict as the parser.
            Err(error) => {
                prop_assert!(read.is_err(), "{}: {}", text, error);
                let is_cut = start.cut_short();
                if error.kind == json::ErrorKind::UnexpectedEnd {
                    prop_assert_eq!(is_cut, Ok(true), "{}", text);
                }
            }
        }
    }

    #[test]
    fn reads_the_same_with_an_index(text in any_text(), around in 0_usize..60) {
        let (plain, mut index) = (Cursor::new(&text, around), Index::default());
        let is_indexed = index.read(&text, around);
        // One with nothing in it needs none.
        prop_assert_eq!(is_indexed, plain.clone().skip().is_ok_and(|range| range.len() > 2), "{}", text);
        if is_indexed {
            let indexed = plain.clone().with_index(Some(&index));
            for pass in [Cursor::read, Cursor::skip] {
                let (mut one, mut other) = (plain.clone(), indexed.clone());
                prop_assert_eq!(pass(&mut one), pass(&mut other), "{}", text);
                prop_assert_eq!(one.finish(), other.finish(), "{}", text);
            }
            prop_assert_eq!(without_x_from(plain, &text), without_x_from(indexed, &text), "{}", text);
        }
    }

    #[test]
    fn every_beginning_is_cut_short(text in any_text()) {
        prop_assume!(Value::parse(text.as_bytes()).is_ok());
        for end in (1..text.trim_end().len()).filter(|end| text.is_char_boundary(*end)) {
            prop_assert_eq!(Cursor::new(&text[..end], 0).cut_short(), Ok(true), "{}", &text[..end]);
            prop_assert!(Cursor::new(&text[..end], 0).skip().is_err(), "{}", &text[..end]);
        }
    }
}

#[test]
fn what_is_skipped_is_checked_for_strings_brackets_and_depth() {
    let long = "x".repeat(100);
    for (text, expected) in [
        ("[{\"a\" 1,,\"a\":tru}]", Ok(())),
        ("[{]}", Err(MaskErrorKind::Malformed)),
        ("[\"\\x\"]", Err(MaskErrorKind::Malformed)),
        ("[\"\\ud800\"]", Err(MaskErrorKind::Malformed)),
        ("[\"\t\"]", Err(MaskErrorKind::Malformed)),
        ("[\u{1}]", Err(MaskErrorKind::Malformed)),
        ("[\\]", Err(MaskErrorKind::Malformed)),
        ("[\\\"]\"]", Err(MaskErrorKind::Malformed)),
        ("[\r\n\t ]", Ok(())),
        (&format!("[\"{long}\",\"{long}\\\\\",\"{long}\\\"]\"]"), Ok(())),
        (&format!("[\"{long}\\x\"]"), Err(MaskErrorKind::Malformed)),
        (&format!("[\"{long}\u{1}\"]"), Err(MaskErrorKind::Malformed)),
        (&format!("{}{}", "[".repeat(64), "]".repeat(64)), Ok(())),
        (
            &format!("{}{}", "[".repeat(65), "]".repeat(65)),
            Err(MaskErrorKind::TooDeep),
        ),
    ] {
        let mut cursor = Cursor::new(text, 0);
        assert_eq!(cursor.skip().and_then(|_| cursor.finish()), expected, "{text}");
    }
    // What is behind is nobody's business yet.
    let mut cursor = Cursor::new("[] \u{1}\\", 0);
    assert_eq!(cursor.skip(), Ok(0..2));
}

#[test]
fn edits_inside_a_string_keep_what_was_written() {
    let text = r#"{"x":"{\"a\": \"b\\u003c\u003c\u00e9\",\"x\":1,\"c\":\"d\"} "}"#;
    let mut cursor = Cursor::new(text, 0);
    let (mut edits, mut none) = (Edits::default(), Edits::default());
    let mut object = cursor.object().unwrap();
    cursor.member(&mut object, &mut none).unwrap();
    let string = cursor.string().unwrap();
    let said = string.decode();
    let mut inner = Edits::default();
    let (a, x, c) = (
        said.find("\"b").unwrap(),
        said.find("\"x").unwrap(),
        said.find("\"d").unwrap(),
    );
    inner.replace(c..c + 3, "\"new\"");
    inner.replace(a..x - 1, "\"masked\"");
    inner.remove(x..x + 6);
    inner.replace(x + 4..x + 5, "0");
    edits.nest(&string, inner);
    let mut out = Vec::new();
    edits.apply(text.as_bytes(), &mut out);
    let expected = r#"{"x":"{\"a\": \"masked\",\"c\":\"new\"} "}"#;
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn looks_ahead() {
    let cursor = Cursor::new(r#" {"a":{"b":"c\u0021"},"k":"v"}"#, 0);
    assert_eq!(cursor.look_up_text(&["a", "b"]).unwrap().as_deref(), Some("c!"));
    assert_eq!(cursor.look_up_text(&["k"]).unwrap().as_deref(), Some("v"));
    assert_eq!(cursor.look_up_text(&["a"]).unwrap(), None);
    assert_eq!(cursor.look_up_text(&["k", "v"]).unwrap(), None);
}
