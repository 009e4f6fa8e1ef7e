use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

const TOKEN: &str = "ghp_x3Kd9sLq0Zp4TnVw8RyB5mCe7JhG2uFa6NbD";

fn masked(chunks: &[&[u8]]) -> String {
    let (mut text, mut out) = (Text::new(Detectors::built_in()), Vec::new());
    for chunk in chunks {
        text.push(chunk, &mut out);
    }
    text.finish(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Lines of all sorts: keys whole, cut off and in colour, progress bars, line ends of all sorts, bytes that are no UTF-8.
fn corpus() -> Vec<u8> {
    let wide = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let mut text = Vec::new();
    for line in [
        format!("2026-11-23T01:58:36.123456789Z token={TOKEN} done\n"),
        format!("progress 1%\rprogress 2% {TOKEN}\rprogress 3%\r\n"),
        format!(
            "-----BEGIN RSA PRIVATE KEY-----\r\n{wide}\r\n{wide}\r\nMIIEvQ==\r\n-----END RSA PRIVATE KEY-----\r\nafter\r\n"
        ),
        format!(
            "2026-11-23T01:58:36.123456789Z -----BEGIN PRIVATE KEY-----\n2026-11-23T01:58:36.123456790Z {wide}\n\
             2026-11-23T01:58:36.123456791Z an other line\n2026-11-23T01:58:36.123456792Z {wide}\n\
             2026-11-23T01:58:36.123456793Z -----END PRIVATE KEY-----\n"
        ),
        format!("-----BEGIN PRIVATE KEY-----\n{wide}\n{wide}\nMII\nGET /healthz 200\n"),
        format!(
            "\u{1b}[32m{TOKEN}\u{1b}[0m and \u{1b}[01;31m\u{1b}[Kghp_\u{1b}[m\u{1b}[K{}\n",
            TOKEN.strip_prefix("ghp_").unwrap()
        ),
        "\n\n".to_owned(),
        format!("the last one {TOKEN}"),
    ] {
        text.extend_from_slice(line.as_bytes());
        text.extend_from_slice(b"");
    }
    text.splice(20..20, [0xff, 0xfe, 0x80]);
    text
}

#[test]
fn every_cut_gives_the_same() {
    let text = corpus();
    let whole = masked(&[&text]);
    assert!(!whole.contains("x3Kd9s") && !whole.contains("MIIEvQ"), "{whole}");
    for kept in [
        "done",
        "progress 3%",
        "after",
        "an other line",
        "GET /healthz 200",
        "the last one",
    ] {
        assert!(whole.contains(kept), "{kept}: {whole}");
    }
    for at in 0..=text.len() {
        let (one, two) = text.split_at(at);
        assert_eq!(masked(&[one, two]), whole, "cut at {at}");
    }
    let bytes: Vec<&[u8]> = text.chunks(1).collect();
    assert_eq!(masked(&bytes), whole);
}

#[test]
fn a_complete_line_is_not_held_back() {
    let (mut text, mut out) = (Text::new(Detectors::built_in()), Vec::new());
    for line in ["one\n", "two\r", "-----BEGIN PRIVATE KEY-----\n", "four\n"] {
        out.clear();
        text.push(line.as_bytes(), &mut out);
        assert!(out.ends_with(&line.as_bytes()[line.len() - 1..]), "{line}");
    }
    out.clear();
    text.push(b"five", &mut out);
    assert!(out.is_empty());
    text.finish(&mut out);
    assert_eq!(out, b"five");
}

#[test]
fn secrets_across_the_edges_of_windows_are_found() {
    for at in [
        STEP - 45,
        STEP - 20,
        STEP - 1,
        STEP,
        STEP + 1,
        MAX_LINE - 45,
        MAX_LINE - 20,
        MAX_LINE - 3,
        MAX_LINE,
        2 * STEP - 7,
    ] {
        let mut line = vec![b' '; at];
        line.extend_from_slice(TOKEN.as_bytes());
        line.resize(200_000, b' ');
        line.extend_from_slice(b" end\nnext\n");
        let whole = masked(&[&line]);
        assert!(!whole.contains("x3Kd") && !whole.contains("NbD"), "{at}");
        let expected = line.len() - TOKEN.len() + MARKER.len();
        assert_eq!((whole.len(), whole.matches(MARKER).count()), (expected, 1), "{at}");
        for cut in [
            1,
            at,
            at + 10,
            STEP,
            MAX_LINE,
            MAX_LINE + 1,
            MAX_LINE + 2,
            line.len() - 1,
        ] {
            let (one, two) = line.split_at(cut);
            assert_eq!(masked(&[one, two]), whole, "{at}, cut at {cut}");
        }
    }
}

#[test]
fn a_token_longer_than_a_window_is_one() {
    let line = format!("a eyJhbGciOiJIUzI1NiJ9.eyJ{} b\n", "x7Kd9sLq".repeat(40_000));
    let whole = masked(&[line.as_bytes()]);
    assert_eq!(whole, format!("a {MARKER} b\n"));
    let chunks: Vec<&[u8]> = line.as_bytes().chunks(1000).collect();
    assert_eq!(masked(&chunks), whole);
}

#[test]
fn lines_of_just_the_longest_length() {
    for length in [MAX_LINE - 1, MAX_LINE, MAX_LINE + 1] {
        let mut line = vec![b'.'; length - TOKEN.len() - 1];
        line.push(b' ');
        line.extend_from_slice(TOKEN.as_bytes());
        line.extend_from_slice(b"\r\nnext\n");
        let whole = masked(&[&line]);
        assert!(whole.ends_with(&format!(" {MARKER}\r\nnext\n")), "{length}");
        let chunks: Vec<&[u8]> = line.chunks(4093).collect();
        assert_eq!(masked(&chunks), whole, "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_cuts_give_the_same(
        cuts in prop::collection::vec(0.0..1.0_f64, 0..12),
        parts in prop::collection::vec((0..12_usize, 0..70_000_usize), 1..10),
    ) {
        let pieces: [&[u8]; 12] = [
            b"\n", b"\r\n", b"\r", TOKEN.as_bytes(), b" ", b"-----BEGIN PRIVATE KEY-----\n",
            b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n", b"-----END PRIVATE KEY-----",
            b"\x1b[31m", b"eyJhbGciOiJIUzI1NiJ9.eyJ", b"eyJ", b"word ",
        ];
        let mut text = Vec::new();
        for (piece, length) in parts {
            // Now and then many of one.
            let piece = pieces[piece];
            let count = if length % 5 == 0 { length / piece.len() } else { 1 + length % 3 };
            for _ in 0..count {
                text.extend_from_slice(piece);
            }
        }
        let mut at: Vec<usize> = cuts.iter().map(|cut| (cut * text.len() as f64) as usize).collect();
        at.sort_unstable();
        let (mut chunks, mut from) = (Vec::new(), 0);
        for cut in at {
            chunks.push(&text[from..cut]);
            from = cut;
        }
        chunks.push(&text[from..]);
        prop_assert_eq!(masked(&chunks), masked(&[&text]));
    }
}

#[test]
fn base64_on_several_lines_is_one_secret() {
    let key = "x3Kd9sLq0Zp4TnVw8RyB5mCe7JhG2uFa6NbD".repeat(3);
    let encoded = STANDARD.encode(format!("DB_HOST=db\nDB_PASSWORD={key}\nPORT=80\n"));
    for width in [64, 76] {
        let lines: Vec<&str> = encoded
            .as_bytes()
            .chunks(width)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        for end in ["\n", "\r\n", "\n  "] {
            let text = format!("{}\nready for more\n", lines.join(end));
            let whole = masked(&[text.as_bytes()]);
            assert!(lines.iter().all(|line| !whole.contains(line)), "{whole}");
            assert!(whole.ends_with("\nready for more\n"), "{whole}");
            let cut: Vec<&[u8]> = text.as_bytes().chunks(5).collect();
            assert_eq!(masked(&cut), whole);
        }
    }
}
