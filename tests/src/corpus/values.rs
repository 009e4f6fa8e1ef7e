//! What templates put into their gaps: `«name»` harmless, or marked as a secret.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::keys;
use super::marked::{Alphabet, base64, mark};
use super::providers;
use super::rng::Rng;

pub(crate) const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
pub(crate) const DIGITS: &str = "0123456789";
pub(crate) const HEX: &str = "0123456789abcdef";
pub(crate) const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Kubernetes' generated names: no vowels, and nothing that looks like another letter.
const SUFFIX: &str = "bcdfghjklmnpqrstvwxz2456789";

const USERS: &[&str] = &[
    "app",
    "admin",
    "svc-orders",
    "deploy",
    "root",
    "reporting",
    "jane",
    "ci-bot",
    "grafana",
    "billing_rw",
];
const NAMES: &[&str] = &[
    "orders",
    "billing",
    "inventory",
    "checkout",
    "gateway",
    "ledger",
    "search",
    "notifier",
    "catalog",
];
const NAMESPACES: &[&str] = &[
    "team-a",
    "payments",
    "kube-system",
    "monitoring",
    "default",
    "staging-eu",
];
const DOMAINS: &[&str] = &[
    "example.com",
    "corp.example.net",
    "svc.cluster.local",
    "internal.example.org",
    "eu-west-1.example.io",
];
const WORDS: &[&str] = &[
    "Kestrel", "Granite", "Orchid", "Lantern", "Walnut", "Harbor", "Mistral", "Copper", "Juniper", "Saffron", "Quarry",
    "Tundra", "Velvet", "Bramble", "Falcon", "Cobalt", "Meadow", "Pepper", "Glacier", "Willow",
];
const SENTENCES: &[&str] = &[
    "connection established",
    "retrying in a moment",
    "request handled",
    "worker started",
    "cache warmed up",
    "queue drained",
    "shutting down gracefully",
];

/// The value of a gap, marked if it is a secret.
pub(crate) fn value(name: &str, rng: &mut Rng) -> String {
    if let Some(kind) = name.strip_prefix("key-") {
        return keys::private(rng, kind);
    }
    if let Some(kind) = name.strip_prefix("pub-") {
        return keys::public(rng, kind);
    }
    harmless(name, rng)
        .or_else(|| secret(name, rng))
        .unwrap_or_else(|| panic!("no such value: «{name}»"))
}

fn number(rng: &mut Rng, from: usize, to: usize) -> String {
    rng.between(from, to).to_string()
}

fn clock(rng: &mut Rng) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        rng.between(0, 24),
        rng.between(0, 60),
        rng.between(0, 60)
    )
}

fn month_day(rng: &mut Rng) -> (usize, usize) {
    (rng.between(1, 13), rng.between(1, 29))
}

const MONTHS: &[&str] = &[
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

fn uuid(rng: &mut Rng) -> String {
    let h = rng.chars(HEX, 32);
    format!("{}-{}-4{}-a{}-{}", &h[..8], &h[8..12], &h[13..16], &h[17..20], &h[20..])
}

fn harmless(name: &str, rng: &mut Rng) -> Option<String> {
    let (month, day) = month_day(rng);
    Some(match name {
        "user" => rng.pick(USERS).to_owned(),
        "app" => rng.pick(NAMES).to_owned(),
        "db" => format!("{}_{}", rng.pick(NAMES), rng.pick(&["prod", "dev", "v2"])),
        "ns" => rng.pick(NAMESPACES).to_owned(),
        "domain" => rng.pick(DOMAINS).to_owned(),
        "host" => format!(
            "{}-{}.{}",
            rng.pick(&["db", "cache", "mq", "api", "node"]),
            rng.between(0, 9),
            rng.pick(DOMAINS)
        ),
        "pod" => format!("{}-{}-{}", rng.pick(NAMES), rng.chars(SUFFIX, 10), rng.chars(SUFFIX, 5)),
        "suffix" => rng.chars(SUFFIX, 5),
        "rs-hash" => rng.chars(SUFFIX, 10),
        "ip" => format!(
            "10.{}.{}.{}",
            rng.between(0, 250),
            rng.between(0, 250),
            rng.between(1, 250)
        ),
        "ip6" => format!(
            "fd00:{}:{}::{}",
            rng.chars(HEX, 4),
            rng.chars(HEX, 4),
            rng.chars(HEX, 3)
        ),
        "mac" => (0..6).map(|_| rng.chars(HEX, 2)).collect::<Vec<_>>().join(":"),
        "port" => number(rng, 1024, 65000),
        "num" => number(rng, 100, 99_999),
        "small" => number(rng, 1, 60),
        "float" => format!("{}.{}", rng.between(0, 900), rng.between(100, 999)),
        "hex8" => rng.chars(HEX, 8),
        "hex16" | "span" => rng.chars(HEX, 16),
        "hex32" | "md5" | "trace" => rng.chars(HEX, 32),
        "sha1" => rng.chars(HEX, 40),
        "sha256" => rng.chars(HEX, 64),
        "sha512b64" => STANDARD.encode(rng.bytes(64)),
        "b64-16" => STANDARD.encode(rng.bytes(16)),
        "b64-32" => STANDARD.encode(rng.bytes(32)),
        "b64u-22" => URL_SAFE_NO_PAD.encode(rng.bytes(16)),
        "b64u-32" => URL_SAFE_NO_PAD.encode(rng.bytes(32)),
        "b64u-256" => URL_SAFE_NO_PAD.encode(rng.bytes(256)),
        "b64-512" => STANDARD.encode(rng.bytes(512)),
        "fingerprint" => STANDARD.encode(rng.bytes(32)).trim_end_matches('=').to_owned(),
        "uuid" => uuid(rng),
        "uuid-upper" => uuid(rng).to_uppercase(),
        "ulid" => format!("01{}", rng.chars("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24)),
        "rv" => number(rng, 100_000, 99_999_999),
        "iso" => format!("2026-{month:02}-{day:02}T{}.{}Z", clock(rng), rng.chars(DIGITS, 3)),
        "iso-nano" => format!("2026-{month:02}-{day:02}T{}.{}Z", clock(rng), rng.chars(DIGITS, 9)),
        "ts" => format!("2026-{month:02}-{day:02} {}", clock(rng)),
        "day" => format!("2026-{month:02}-{day:02}"),
        "clf" => format!("[{day:02}/{}/2026:{} +0000]", MONTHS[month - 1], clock(rng)),
        "syslog" => format!("{} {day:2} {}", MONTHS[month - 1], clock(rng)),
        "klog" => format!("{month:02}{day:02} {}.{}", clock(rng), rng.chars(DIGITS, 6)),
        "epoch" => format!("17{}", rng.chars(DIGITS, 8)),
        "epoch-ms" => format!("17{}", rng.chars(DIGITS, 11)),
        "semver" => format!("{}.{}.{}", rng.between(0, 9), rng.between(0, 40), rng.between(0, 20)),
        "tag" => format!("v{}.{}.{}", rng.between(0, 9), rng.between(0, 40), rng.between(0, 20)),
        "image" => format!("registry.example.com/{}/{}", rng.pick(NAMES), rng.pick(NAMES)),
        "word" => rng.pick(WORDS).to_lowercase(),
        "sentence" => rng.pick(SENTENCES).to_owned(),
        "method" => rng.pick(&["GET", "POST", "PUT", "PATCH"]).to_owned(),
        "colour" => format!("#{}", rng.chars(HEX, 6)),
        "ssh-pub" => keys::ssh_public(rng),
        "cert64" => keys::encoded_certificate(rng),
        "png64" => {
            let head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x20\0\0\0\x20\x08\x06\0\0\0";
            STANDARD.encode([&head[..], &rng.bytes(150)].concat())
        }
        "font64" => STANDARD.encode([b"wOF2\0\x01\0\0".as_slice(), &rng.bytes(200)].concat()),
        "text64" => {
            let line =
                |rng: &mut Rng| format!("{} {}: {}\n", rng.pick(NAMES), rng.between(1, 100), rng.pick(SENTENCES));
            STANDARD.encode((0..4).map(|_| line(rng)).collect::<String>())
        }
        "continue" => {
            let token = format!(
                r#"{{"v":"meta.k8s.io/v1","rv":{},"start":"{}-{}\u0000"}}"#,
                rng.between(1000, 999_999),
                rng.pick(NAMES),
                rng.chars(SUFFIX, 5)
            );
            URL_SAFE_NO_PAD.encode(token)
        }
        // What kubeseal makes: the length of an encrypted key (512), that key, and what it encrypts.
        "sealed" => STANDARD.encode([&[2, 0][..], &rng.bytes(560)].concat()),
        "vault-cipher" => format!("vault:v1:{}", STANDARD.encode(rng.bytes(44))),
        "sops" => format!(
            "ENC[AES256_GCM,data:{},iv:{},tag:{},type:str]",
            STANDARD.encode(rng.bytes(14)),
            STANDARD.encode(rng.bytes(32)),
            STANDARD.encode(rng.bytes(16))
        ),
        "card-number-wrong" => providers::luhn(rng, "4", 16, false),
        _ => return None,
    })
}

fn secret(name: &str, rng: &mut Rng) -> Option<String> {
    Some(match name {
        // Fit for a place without quotes.
        "pw" => mark(&password(rng)),
        // Fit for a URL as it is.
        "pwu" => mark(&unreserved(rng)),
        // Between quotes: with spaces, too.
        "pwq" => mark(&match rng.between(0, 4) {
            0 => format!(
                "{} {} {}",
                rng.pick(WORDS),
                rng.pick(WORDS).to_lowercase(),
                rng.chars(DIGITS, 3)
            ),
            1 => format!(
                "{}{{{}}}{}",
                rng.chars(ALNUM, 5),
                rng.chars(ALNUM, 4),
                rng.chars(ALNUM, 5)
            ),
            2 => format!(
                "{}#{}&{}",
                rng.chars(ALNUM, 6),
                rng.chars(ALNUM, 5),
                rng.chars(ALNUM, 4)
            ),
            _ => password(rng),
        }),
        // Anything at all; to be escaped.
        "pwx" => mark(&match rng.between(0, 4) {
            0 => format!(
                "{}\"{}\\{}",
                rng.chars(ALNUM, 5),
                rng.chars(ALNUM, 5),
                rng.chars(ALNUM, 5)
            ),
            1 => format!(
                "{}ü{}ß{}",
                rng.chars(ALNUM, 6),
                rng.chars(ALNUM, 4),
                rng.chars(ALNUM, 4)
            ),
            2 => format!(
                "{}/{}+{}<{}",
                rng.chars(ALNUM, 6),
                rng.chars(ALNUM, 4),
                rng.chars(ALNUM, 4),
                rng.chars(ALNUM, 5)
            ),
            _ => format!(
                "{}@{}:{}",
                rng.chars(ALNUM, 6),
                rng.chars(ALNUM, 6),
                rng.chars(ALNUM, 5)
            ),
        }),
        // One that no dictionary has, where only its looks could give it away.
        "random" => {
            let length = rng.between(28, 44);
            mark(&rng.chars(ALNUM, length))
        }
        "opaque" => {
            let length = rng.between(20, 44);
            mark(&rng.chars(ALNUM, length))
        }
        "hexkey" => {
            let length = [32, 40, 64][rng.between(0, 3)];
            mark(&rng.chars(HEX, length))
        }
        "hexkey32" => mark(&rng.chars(HEX, 32)),
        "uuidkey" => mark(&uuid(rng)),
        "key64" => mark(&STANDARD.encode(rng.bytes(32))),
        "azure-key" => mark(&STANDARD.encode(rng.bytes(64))),
        "aws-secret" => mark(&STANDARD.encode(rng.bytes(30))),
        "aws-session" => mark(&format!("IQoJb3JpZ2luX2VjE{}", STANDARD.encode(rng.bytes(240)))),
        "aws-id" => mark(&format!("AKIA{}", rng.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16))),
        "sig64" => mark(&STANDARD.encode(rng.bytes(32))),
        "sighex" => mark(&rng.chars(HEX, 64)),
        "bootstrap" => mark(&format!(
            "{}.{}",
            rng.chars(&alnum_lower(), 6),
            rng.chars(&alnum_lower(), 16)
        )),
        "pin" => mark(&rng.chars("123456789", 4)),
        "otp" => mark(&rng.chars("123456789", 6)),
        "totp" => mark(&rng.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32)),
        "cookie" => mark(&format!("s%3A{}.{}", rng.chars(ALNUM, 32), rng.chars(ALNUM, 43))),
        "session" => mark(&rng.chars("0123456789ABCDEF", 32)),
        "bcrypt" => mark(&format!("$2b$12${}", rng.chars(ALNUM, 53))),
        "apr1" => mark(&format!("$apr1${}${}", rng.chars(ALNUM, 8), rng.chars(ALNUM, 22))),
        "sha512crypt" => mark(&format!("$6${}${}", rng.chars(ALNUM, 16), rng.chars(ALNUM, 86))),
        "basic" => {
            let pair = format!("{}:{}", rng.pick(USERS), password(rng));
            base64(&mark(&pair), Alphabet::Standard)
        }
        "jwt" => mark(&jwt(rng)),
        "token" => mark(&providers::any(rng)),
        "pem" => {
            let kind = rng.pick(&["rsa", "pkcs8", "ed25519", "ec", "openssh"]);
            keys::private(rng, kind)
        }
        "card" => {
            let (prefix, length) = [("4", 16), ("51", 16), ("37", 15), ("6011", 16)][rng.between(0, 4)];
            mark(&providers::luhn(rng, prefix, length, true))
        }
        "card-spaced" => {
            let card = providers::luhn(rng, "4", 16, true);
            mark(&format!(
                "{} {} {} {}",
                &card[..4],
                &card[4..8],
                &card[8..12],
                &card[12..]
            ))
        }
        "iban" => mark(&providers::iban(rng)),
        "email" => {
            let domain = rng.pick(&["example.com", "mail.example.org", "example.co.uk"]);
            mark(&format!(
                "{}.{}@{domain}",
                rng.pick(WORDS).to_lowercase(),
                rng.pick(NAMES)
            ))
        }
        _ => return None,
    })
}

fn alnum_lower() -> String {
    LOWER.to_owned() + DIGITS
}

fn unreserved(rng: &mut Rng) -> String {
    match rng.between(0, 5) {
        0 => rng.chars(HEX, 32),
        1 => format!(
            "{}-{}-{}",
            rng.pick(WORDS).to_lowercase(),
            rng.pick(WORDS).to_lowercase(),
            rng.between(10, 99)
        ),
        2 => format!(
            "{}_{}~{}",
            rng.chars(ALNUM, 6),
            rng.chars(ALNUM, 5),
            rng.chars(ALNUM, 4)
        ),
        3 => rng.chars(ALNUM, 8),
        _ => {
            let length = rng.between(12, 33);
            rng.chars(ALNUM, length)
        }
    }
}

fn password(rng: &mut Rng) -> String {
    match rng.between(0, 9) {
        0 => format!("{}{}!", rng.pick(WORDS), rng.between(1950, 2030)),
        1 => format!(
            "{}@{}%{}",
            rng.chars(ALNUM, 5),
            rng.chars(ALNUM, 4),
            rng.chars(ALNUM, 5)
        ),
        2 => format!(
            "{}!{}^{}*{}",
            rng.chars(ALNUM, 4),
            rng.chars(ALNUM, 4),
            rng.chars(ALNUM, 3),
            rng.chars(ALNUM, 2)
        ),
        3 => uuid(rng),
        4 => STANDARD.encode(rng.bytes(24)),
        5 => rng
            .pick(&[
                "swordfish",
                "letmein99",
                "hunter42x",
                "opensesame",
                "trustno1x",
                "Passw0rt!",
            ])
            .to_owned(),
        _ => unreserved(rng),
    }
}

/// A token as an issuer signs it: head and claims are JSON, the third part looks random.
pub(crate) fn jwt(rng: &mut Rng) -> String {
    let head = rng.pick(&[
        r#"{"alg":"RS256","kid":"DHFbpoIUqrY8t2zpA2qXfCmr5VO5ZEr4RzHU_-envvQ"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"typ":"JWT","alg":"ES256","kid":"2026-01"}"#,
    ]);
    let claims = match rng.between(0, 3) {
        0 => format!(
            r#"{{"aud":["https://kubernetes.default.svc.cluster.local"],"exp":{},"iss":"https://kubernetes.default.svc.cluster.local","kubernetes.io":{{"namespace":"{}","serviceaccount":{{"name":"{}","uid":"{}"}}}},"sub":"system:serviceaccount:{}:{}"}}"#,
            rng.between(1_700_000_000, 1_900_000_000),
            rng.pick(NAMESPACES),
            rng.pick(NAMES),
            uuid(rng),
            rng.pick(NAMESPACES),
            rng.pick(NAMES)
        ),
        1 => format!(
            r#"{{"sub":"{}","name":"{}","iat":{}}}"#,
            rng.between(1_000_000, 9_999_999),
            rng.pick(WORDS),
            rng.between(1_700_000_000, 1_800_000_000)
        ),
        _ => format!(
            r#"{{"iss":"https://auth.example.com/","scope":"read write","exp":{}}}"#,
            rng.between(1_700_000_000, 1_900_000_000)
        ),
    };
    let length = [32, 64, 256][rng.between(0, 3)];
    let signature = rng.bytes(length);
    [head.as_bytes(), claims.as_bytes(), &signature]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".")
}
