use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::detect::Hits;
use crate::mask::MARKER;

const NOTHING: [std::ops::Range<usize>; 0] = [];

fn hits(known: &KnownValues, text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut hits = Hits::default();
    known.detect(text, &mut hits);
    hits.merged().into_iter().map(|hit| hit.range).collect()
}

fn masked(known: &KnownValues, text: &str) -> String {
    let (mut hits, mut out) = (Hits::default(), Vec::new());
    known.detect(text.as_bytes(), &mut hits);
    hits.replace(text.as_bytes(), &mut out, |rule| assert_eq!(rule, RULE));
    String::from_utf8(out).unwrap()
}

fn knowing(name: &str, value: &str) -> KnownValues {
    let known = KnownValues::default();
    known.remember_named(name, value.as_bytes());
    known
}

/// Whether so much of a secret is left that a reader could go on from it.
fn leaks(secret: &str, text: &str) -> bool {
    let left = text.replace(MARKER, "\0");
    secret
        .as_bytes()
        .windows(6)
        .any(|part| memchr::memmem::find(left.as_bytes(), part).is_some())
}

/// The characters of base64 that hold nothing but bits of what stands at a range.
fn core(before: usize, length: usize) -> std::ops::Range<usize> {
    (before * 8).div_ceil(6)..(before + length) * 8 / 6
}

#[test]
fn a_password_may_look_like_an_address() {
    let value = r"Aaa0<://\@0<0A0";
    let known = knowing("password", value);
    for text in [value.to_owned(), serde_json::to_string(value).unwrap()] {
        assert!(!leaks(value, &masked(&known, &text)), "{text}");
    }
    // What is not worth remembering is not remembered.
    assert!(knowing("password", "https://login.example.com/start").is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_is_found_wherever_it_stands(
        value in r#"[A-Za-z]{3}[0-9][A-Za-z0-9@!:/+"\\<&é ]{8,150}[0-9][A-Z][0-9]"#,
        before in "[ -~]{0,40}",
        after in "[ -~]{0,40}",
    ) {
        let known = knowing("password", &value);
        // Of a URL only the password is remembered.
        prop_assume!(!known.is_empty() && !value.contains("://"));
        let json = |text: &str| { let quoted = serde_json::to_string(text).unwrap(); quoted.get(1..quoted.len() - 1).unwrap().to_owned() };
        let url = utf8_percent_encode(&value, NON_ALPHANUMERIC).to_string();
        let forms = [
            value.clone(), json(&value), json(&json(&value)), value.replace('/', "\\/").replace('"', "\\\""),
            hex::encode(&value), hex::encode_upper(&value), url.replace("%2D", "-"), STANDARD.encode(&value),
        ];
        for form in forms.iter().filter(|form| !form.contains('\\') || **form == json(&value) || **form == json(&json(&value))) {
            let text = format!("{before}{form}{after}");
            let found = hits(&known, text.as_bytes());
            // All but the padding.
            let length = form.trim_end_matches('=').len() - usize::from(form.ends_with('='));
            let place = before.len()..before.len() + length;
            prop_assert!(found.iter().any(|hit| hit.start <= place.start && hit.end >= place.end), "{text:?}: {found:?}");
        }
    }

    #[test]
    fn base64_is_found_at_every_alignment(
        value in "[A-Za-z]{4}[0-9][A-Za-z0-9+/~?>]{4,120}[0-9][A-Z][0-9]",
        before in vec(any::<u8>(), 0..20),
        after in vec(any::<u8>(), 0..20),
    ) {
        let known = knowing("password", &value);
        prop_assume!(!known.is_empty());
        let bytes = [&before[..], value.as_bytes(), &after].concat();
        for text in [STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            let place = core(before.len(), value.len());
            let found = hits(&known, text.as_bytes());
            prop_assert!(found.iter().any(|hit| hit.start <= place.start && hit.end >= place.end), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_part_of_a_long_value_is_found(value in "[A-Za-z0-9]{60,200}", from in 0_usize..36, length in 24_usize..60) {
        let known = knowing("token", &value);
        let part = value.get(from..(from + length).min(value.len())).unwrap();
        prop_assume!(part.len() >= 24 && !known.is_empty());
        let text = masked(&known, &format!("error near '{part}' in line 7"));
        prop_assert!(text.starts_with("error near '") && text.ends_with("' in line 7"), "{text}");
        prop_assert!(!leaks(part, &text), "{part} in {text}");
    }

    #[test]
    fn nothing_else_is_found(values in vec("[A-Za-z0-9]{8,80}", 1..30), text in vec(any::<u8>(), 0..4000), words in "[a-z ]{0,2000}") {
        let known = KnownValues::default();
        for value in &values {
            known.remember_named("password", value.as_bytes());
        }
        prop_assert_eq!(hits(&known, &text), NOTHING);
        prop_assert_eq!(hits(&known, words.as_bytes()), NOTHING);
        prop_assert_eq!(hits(&known, STANDARD_NO_PAD.encode(&text).as_bytes()), NOTHING);
        // The whole, and of a short value nothing less.
        for value in values.iter().filter(|value| value.len() <= 32) {
            prop_assert_eq!(hits(&known, &value.as_bytes()[1..]), NOTHING);
        }
    }

    #[test]
    fn lines_are_independent(value in "[A-Za-z0-9]{20,90}", lines in vec("[a-z =]{0,20}", 1..8), at in any::<prop::sample::Index>()) {
        let known = knowing("password", &value);
        let mut lines: Vec<String> = lines;
        let at = at.index(lines.len());
        lines[at].push_str(&value);
        let whole = masked(&known, &lines.join("\n"));
        let each: Vec<String> = lines.iter().map(|line| masked(&known, line)).collect();
        prop_assert_eq!(whole, each.join("\n"));
    }

    #[test]
    fn hostile_values_and_texts_do_no_harm(value in vec(any::<u8>(), 0..6000), name in ".{0,20}", text in vec(0_u8..4, 0..6000)) {
        let known = KnownValues::new(KnownLimits::default().with_bytes(16 * 1024));
        known.remember_named(&name, &value);
        known.remember(&text);
        hits(&known, &value);
        hits(&known, &text);
        prop_assert!(known.read().bytes() <= 16 * 1024);
    }
}

const PRIVATE: &str = "-----BEGIN RSA PRIVATE KEY-----
MIICXwIBAAKBgQCbukK/5uXp0tCq8mVb1nJdYhQw2eRzKf0Xo7GpLs4TuVaMiNcB
g2zJBRjQApxpega7M8wbO+4zpQkXv0INeyiX+f1w3hx0HZfgf1Yd7sLmKo9TqUbE
0S1DfZut6Y95UbDdzJZHS4+hJcVx2GnRyPwEfCEn6X03LUzhwIDAQABAoGBAO2Kk
yTq8sZk1Lw==
-----END RSA PRIVATE KEY-----
";

#[test]
fn the_lines_of_a_key_are_found_in_every_form() {
    let known = knowing("tls.key", PRIVATE);
    let json = serde_json::to_string(PRIVATE).unwrap();
    let indented = PRIVATE.replace('\n', "\n    ");
    for text in [PRIVATE, &json, &indented, &PRIVATE.replace('\n', "\\n")] {
        let masked = masked(&known, text);
        for line in PRIVATE.lines().filter(|line| !line.starts_with('-')) {
            assert!(!leaks(line, &masked), "{line} in {masked}");
        }
    }
    // In base64 of all of it, the ends of lines stand between what is found.
    let encoded = STANDARD.encode(PRIVATE);
    let masked = masked(&known, &encoded);
    for line in PRIVATE.lines().filter(|line| !line.starts_with('-')) {
        let at = PRIVATE.find(line).unwrap();
        assert!(
            !leaks(encoded.get(core(at, line.len())).unwrap(), &masked),
            "{line} in {masked}"
        );
    }
}

#[test]
fn what_other_texts_share_is_not_remembered() {
    let public = [
        "short",
        "1234567",
        "12345678",
        "aaaaaaaaaaaa",
        "changeme",
        "ChangeMe123!",
        "password",
        "localhost",
        "postgres",
        "kube-system",
        "team-a-production",
        "db-0.internal.example.com",
        "db-0.internal.example.com:5432",
        "https://vault.example.com:8200",
        "/etc/kubernetes/pki/ca.crt",
        "true",
        "administrator",
        "orders_db_production",
        "us-east-1.amazonaws.com",
        "10.96.113.201",
        "${DB_PASSWORD_FROM_ENV}",
        "<redacted value>",
        "countersign.masked.value",
        "a sentence that tells nobody anything",
        "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUK7zv9Yq0n2Jd8mXb5LpQ3rTs6W8wCgYIKoZIzj0EAwIw\n-----END CERTIFICATE-----\n",
        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJzakNDQVJ1Z0F3SUJBZ0lS",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIErz6P2Hs2yyX8jY3Lv3dybUyJPrkR2RPUqnuiiCJyH deploy",
    ];
    for value in public {
        let known = KnownValues::default();
        known.remember(value.as_bytes());
        assert_eq!(
            hits(&known, format!("before {value} after").as_bytes()),
            NOTHING,
            "{value}"
        );
    }
    for (name, value) in [
        ("username", "svc7x9k2m4q"),
        ("client-id", "902b53a7-47a4-4df3-a98b-4bf09e452a04"),
        ("password", "changeme"),
    ] {
        let known = knowing(name, value);
        assert_eq!(hits(&known, value.as_bytes()), NOTHING, "{name}");
    }
}

#[test]
fn the_name_decides_in_doubt() {
    assert_eq!(
        masked(
            &knowing("password", "correct-horse-battery"),
            "x correct-horse-battery y"
        ),
        format!("x {MARKER} y")
    );
    assert_eq!(
        masked(&knowing("DB_PASSWORD", "swordfish"), "pw=swordfish"),
        format!("pw={MARKER}")
    );
    let unnamed = KnownValues::default();
    unnamed.remember(b"correct-horse-battery");
    assert_eq!(hits(&unnamed, b"x correct-horse-battery y"), NOTHING);
    unnamed.remember(b"hX7kq2Lm9wPz4\n");
    assert_eq!(masked(&unnamed, "got hX7kq2Lm9wPz4"), format!("got {MARKER}"));
}

#[test]
fn parts_of_a_value_are_remembered_for_themselves() {
    let known = knowing(
        "DATABASE_URL",
        "postgres://app:s3cr3t%40Pa55word@db-0.example.com:5432/orders?sslmode=require",
    );
    assert_eq!(
        masked(&known, "password s3cr3t%40Pa55word"),
        format!("password {MARKER}")
    );
    assert_eq!(masked(&known, "password s3cr3t@Pa55word"), format!("password {MARKER}"));
    assert_eq!(
        hits(&known, b"host db-0.example.com:5432/orders?sslmode=require"),
        NOTHING
    );

    let config =
        r#"{"auths":{"registry.example.com":{"username":"deploy-bot","auth":"ZGVwbG95LWJvdDpLN3ZRMm1YOXBM"}}}"#;
    let known = knowing(".dockerconfigjson", config);
    assert_eq!(masked(&known, "login K7vQ2mX9pL"), format!("login {MARKER}"));
    assert_eq!(
        masked(&known, "auth ZGVwbG95LWJvdDpLN3ZRMm1YOXBM"),
        format!("auth {MARKER}")
    );
    assert_eq!(hits(&known, b"registry.example.com deploy-bot"), NOTHING);

    let known = knowing(
        ".env",
        "DB_USER=application\nDB_PASSWORD=opensesame-please\nLOG_LEVEL=information-only\n",
    );
    assert_eq!(masked(&known, "opensesame-please"), MARKER);
    assert_eq!(
        hits(&known, b"application information-only LOG_LEVEL=information-only"),
        NOTHING
    );
}

#[test]
fn a_number_is_not_found_in_a_longer_one() {
    let known = knowing("pin", "83920174");
    assert_eq!(hits(&known, b"1483920174 839201745"), NOTHING);
    assert_eq!(masked(&known, "pin 83920174."), format!("pin {MARKER}."));
}

#[test]
fn memory_is_bounded_and_the_oldest_goes_first() {
    let known = KnownValues::default();
    let value = |number: usize| format!("v{number}x{:x}Q{}z9", number * 7919, number * 104_729);
    for number in 0..3_000 {
        known.remember(value(number).as_bytes());
        // Seen again and again, so it stays.
        known.remember(b"k33p-m3-Qx7Zp2Lw9");
    }
    assert!(known.read().bytes() <= KnownLimits::default().bytes);
    let kept = (0..3_000).filter(|number| !hits(&known, value(*number).as_bytes()).is_empty());
    let kept: Vec<usize> = kept.collect();
    assert!(kept.len() >= 400, "{} values", kept.len());
    assert_eq!(kept, (3_000 - kept.len()..3_000).collect::<Vec<_>>());
    assert_eq!(masked(&known, "k33p-m3-Qx7Zp2Lw9"), MARKER);
}

#[test]
fn a_text_full_of_what_is_shared_is_looked_at_once() {
    let known = KnownValues::default();
    // Long, and the same window all over, but for its end.
    known.remember_named(
        "password",
        format!("{}hX7kq2Lm9wPz4", "abcabcab".repeat(400)).as_bytes(),
    );
    let text = "abcabcab".repeat(128 * 1024);
    let (_, taken) = crate::cpu::timed(|| hits(&known, text.as_bytes()));
    // Minutes, if each place were followed to the end.
    assert!(taken.as_secs() < 30, "{taken:?}");
}

#[test]
fn many_threads_remember_and_look() {
    let known = KnownValues::default();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let known = &known;
            scope.spawn(move || {
                for number in 0..50 {
                    let value = format!("t{thread}Qx{number}Zp7Lw9k");
                    known.remember(value.as_bytes());
                    assert_eq!(masked(known, &value), MARKER);
                }
            });
        }
    });
}

#[test]
fn nothing_is_shown() {
    let known = knowing("password", "hX7kq2Lm9wPz4");
    assert_eq!(
        format!("{known:?}"),
        format!("KnownValues {{ limits: {:?}, .. }}", KnownLimits::default())
    );
}

#[test]
fn sessions_are_apart_and_forgotten() {
    let sessions = Sessions::new(KnownLimits::default(), 2, SignedDuration::from_mins(10));
    let at = |minutes: i64| Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap();
    sessions.get("a", at(0)).remember(b"hX7kq2Lm9wPz4");
    assert!(sessions.get("b", at(1)).is_empty());
    assert!(!sessions.get("a", at(9)).is_empty());
    // Over the bound: b was not used for the longest time.
    assert!(sessions.get("c", at(10)).is_empty());
    assert_eq!(sessions.len(), 2);
    assert!(!sessions.get("a", at(19)).is_empty());
    assert!(sessions.get("a", at(30)).is_empty());
    sessions.forget("a");
    assert!(sessions.is_empty());
}
