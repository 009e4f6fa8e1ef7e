//! What is found, however it is cut.

use proptest::prelude::*;

use super::*;

/// What is found, with the bytes and with what is known of the kind.
fn found<'c>(chunks: impl IntoIterator<Item = &'c [u8]>) -> Result<Vec<(String, String, Noted)>, MaskErrorKind> {
    let mut scanner = Scanner::new(1_000);
    scanner.expect_more();
    let mut all: Vec<(String, String, Noted)> = Vec::new();
    for mut chunk in chunks {
        while let Some(found) = scanner.next(&mut chunk).map_err(|error| error.kind())? {
            let (what, item) = match found {
                Found::Space(_) => continue,
                Found::Value(item) => ("value", item),
                Found::Element(item) => ("element", item),
                Found::Closing(item) => ("closing", item),
                Found::Opening(listing) => {
                    let text = String::from_utf8(scanner.held().to_vec()).unwrap();
                    all.push((format!("{listing:?}"), text, Noted::Unknown));
                    scanner.release();
                    continue;
                }
            };
            let text = String::from_utf8(scanner.bytes(item).to_vec()).unwrap();
            let noted = scanner.noted();
            if noted != Noted::Unknown && what != "closing" {
                // What is noted is what is there, if the rest of it is JSON.
                let looked = Cursor::new(&text, 0).look_up_text(&["kind"]);
                let known = Cursor::new(&text, 0).noting(noted).kind();
                assert!(looked.is_err() || looked == known, "{noted:?} in {text}");
            }
            // Not known in pieces, where it is known in one.
            let noted = if matches!(item, Item::Held) {
                Noted::Unknown
            } else {
                noted
            };
            all.push((what.to_owned(), text, noted));
        }
    }
    all.push((
        format!("{:?}", scanner.state),
        scanner.held().len().to_string(),
        Noted::Unknown,
    ));
    Ok(all)
}

fn in_one(text: &str) -> Vec<(String, String, Noted)> {
    found([text.as_bytes()]).unwrap()
}

#[test]
fn notes_the_kind() {
    let kinds = |text: &str| {
        let text = format!("{{\"items\":[{text}]}}");
        let items = in_one(&text);
        let element = items.iter().find(|(what, ..)| what == "element").cloned().unwrap();
        match element.2 {
            Noted::Text(start, end) => element.1.get(start..end).unwrap().to_owned(),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(kinds(r#" {"a":{"kind":"X"}, "kind" : "Pod","b":"kind"}"#), "Pod");
    assert_eq!(kinds(r#"{"b":"kind","a":"x","c":["kind"]}"#), "None");
    assert_eq!(kinds(r#"{"kind":5,"a":"b"}"#), "None");
    assert_eq!(kinds(r#"{"kind":{"a":"b"}}"#), "None");
    assert_eq!(kinds(r#"{"k\u0069nd":"Pod"}"#), "Unknown");
    assert_eq!(kinds(r#"{"kind":"P\u006fd"}"#), "Unknown");
    assert_eq!(kinds(r#"{"kind":"A","kind":"B"}"#), "Unknown");
    let long = format!(
        "{{\"a\":\"{}\",\"x\":[{}],\"kind\":\"Pod\"}}",
        "y".repeat(200),
        "{\"z\":1},".repeat(20) + "1"
    );
    assert_eq!(kinds(&long), "Pod");
}

#[test]
fn only_objects_have_a_kind() {
    let text = r#"{"items":[["kind":"Pod"{"a":1}]]}"#;
    let items = in_one(text);
    let element = items.iter().find(|(what, ..)| what == "element").unwrap();
    assert_eq!(element.2, Noted::Unknown);
}

#[test]
fn what_is_whole_is_not_copied() {
    let mut scanner = Scanner::new(1_000);
    let mut chunk = br#"{"items":[{"a":1},{"b":"#.as_slice();
    let whole = chunk;
    assert_eq!(scanner.next(&mut chunk).unwrap(), Some(Found::Opening(Listing::Items)));
    scanner.release();
    let Some(Found::Element(Item::Whole(bytes))) = scanner.next(&mut chunk).unwrap() else {
        panic!()
    };
    assert_eq!(bytes.as_ptr(), whole[10..].as_ptr());
    assert_eq!(scanner.next(&mut chunk).unwrap(), None);
    assert_eq!(scanner.held(), b"{\"b\":");
    chunk = b"2}]}";
    assert_eq!(scanner.next(&mut chunk).unwrap(), Some(Found::Element(Item::Held)));
    assert_eq!(scanner.held(), b"{\"b\":2}");
    let Some(Found::Closing(Item::Whole(b"]}"))) = scanner.next(&mut chunk).unwrap() else {
        panic!()
    };
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        parts in prop::collection::vec(0_usize..20, 0..40),
        cuts in prop::collection::vec(0_usize..500, 0..6),
    ) {
        const PARTS: [&str; 20] = [
            "{\"items\":[", "]}", "{\"rows\":[", "{", "}", "[", "]", ",", "\"kind\":\"Pod\"", "\"a\":", "\"\\\"{\\\\\"", "12",
            " \n", "{\"kind\":\"X\",\"a\":{\"b\":[1,{}]}}", "\"\u{e9}\"", "{}", "\\", "\"", "{\"a\":[{\"b\":{\"c\":[{}]}}]}",
            "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
        ];
        let text: String = std::iter::once("{\"items\":[").chain(parts.into_iter().map(|part| PARTS[part])).collect();
        let bytes = text.as_bytes();
        let strip = |found: Result<Vec<(String, String, Noted)>, _>| {
            found.map(|all| all.into_iter().map(|(what, text, _)| (what, text)).collect::<Vec<_>>())
        };
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
        cuts.sort_unstable();
        // A character that is cut in two is text again once it is whole; errors may cut one for good.
        let whole = strip(found([bytes]));
        prop_assert_eq!(&strip(found(cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]))), &whole);
        prop_assert_eq!(&strip(found(bytes.chunks(1))), &whole);
    }
}
