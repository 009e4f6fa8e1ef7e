//! Samples that are no templates: every token of every provider, every kind of key, and other samples inside encodings.

use super::keys::{PRIVATE, private};
use super::marked::{Alphabet, base64, gzip, json, mark, url};
use super::providers::{TOKENS, distinctive, token};
use super::rng::Rng;
use super::sample::Sample;
use super::template::{Template, fill};
use super::{SEED, positive};

/// Where a token stands that is known by its own form.
const ANYWHERE: &[&str] = &[
    "{}",
    "using key {} for upstream",
    "level=info msg=\"calling api\" key={} attempt=1",
    r#"{"note":"{}","ok":true}"#,
    "Error: 401 Unauthorized ({})",
    "found '{}' in config",
    "- {}",
    r#"{"log":"{\"note\":\"{}\"}\n"}"#,
    "args: [--key, {}]",
    "x:{}, y:2",
    "value=\"{}\"",
    "rotated {} -> next",
];

/// Where a token stands that only its name gives away.
const NAMED: &[&str] = &[
    "API_TOKEN={}",
    r#"{"api_token":"{}"}"#,
    "X-Api-Key: {}",
    "token: {}",
    "level=debug access_token={} user=jane",
    "app --api-key {} serve",
    "secret_key = '{}'",
];

pub(super) fn providers() -> Vec<Sample> {
    let mut all = Vec::new();
    for (name, form) in TOKENS {
        let frames = if distinctive(name) { ANYWHERE } else { NAMED };
        for time in 0..5 {
            let id = format!("provider/{name}.{time}");
            all.push(positive(&id, "provider", |rng| {
                let secret = mark(&token(rng, form));
                // Some of the known ones under a name, too.
                let frames = if time == 4 { NAMED } else { frames };
                rng.pick(frames).replace("{}", &secret)
            }));
        }
    }
    all
}

type Frame = (&'static str, fn(&str) -> String);

const KEYS: &[Frame] = &[
    ("as-it-is", |key| format!("{key}\n")),
    ("yaml", |key| {
        format!("data:\n  id_rsa: |\n    {}\n  other: x\n", key.replace('\n', "\n    "))
    }),
    ("json", |key| {
        format!(r#"{{"key":"{}","id":7}}"#, json(&format!("{key}\n")))
    }),
    ("json-twice", |key| {
        format!(r#"{{"log":"{}"}}"#, json(&format!(r#"{{"key":"{}"}}"#, json(key))))
    }),
    ("one-line", |key| {
        format!("PRIVATE_KEY=\"{}\"\nPORT=8080", key.replace('\n', "\\n"))
    }),
    ("base64", |key| {
        format!("TLS_KEY={}", base64(&format!("{key}\n"), Alphabet::Standard))
    }),
    ("logged", |key| {
        let lines = key
            .lines()
            .map(|line| format!("2026-03-14T09:26:53.123456789Z stdout F {line}\n"));
        lines.collect()
    }),
    ("crlf", |key| format!("{}\r\n", key.replace('\n', "\r\n"))),
    ("quoted", |key| format!("key: \"{}\"\n", key.replace('\n', "\\n"))),
    ("url", |key| format!("key={}&id=1", url(key))),
];

pub(super) fn keys() -> Vec<Sample> {
    let mut all = Vec::new();
    for kind in PRIVATE {
        for (frame, put) in KEYS {
            let id = format!("pem/{kind}.{frame}");
            all.push(positive(&id, "pem", |rng| put(&private(rng, kind))));
        }
    }
    all
}

/// What can be put into an encoding, and how much of each.
const INSIDE: &[&str] = &[
    "url",
    "dsn",
    "header",
    "env",
    "ini",
    "json",
    "yaml",
    "files",
    "form",
    "properties",
    "code",
];
const EACH: usize = 70;

const WRAPPED: &[Frame] = &[
    ("base64", |text| base64(text, Alphabet::Standard)),
    ("base64-url", |text| base64(text, Alphabet::Url)),
    ("base64-twice", |text| {
        base64(&base64(text, Alphabet::Standard), Alphabet::Standard)
    }),
    ("gzip", gzip),
];

const AROUND: &[&str] = &[
    "payload={}",
    r#"{"data":"{}","encoding":"base64"}"#,
    "  app.conf: {}",
    "body (base64): {}",
    "{}",
    "INFO received {} from queue",
];

/// What a container's runtime, or a program that logs what another logged, makes of a line.
const NESTED: &[Frame] = &[
    ("json-in-json", |text| {
        format!(r#"{{"level":"info","msg":"{}","attempt":1}}"#, json(text))
    }),
    ("json-in-json-twice", |text| {
        let once = format!(r#"{{"body":"{}"}}"#, json(text));
        format!(r#"{{"log":"{}\n","stream":"stdout"}}"#, json(&once))
    }),
    ("docker-log", |text| {
        format!(
            r#"{{"log":"{}\n","stream":"stderr","time":"2026-03-14T09:26:53.1Z"}}"#,
            json(text)
        )
    }),
];

fn chosen<'a>(all: &'a [Template], contexts: &[&str], rng: &mut Rng) -> &'a Template {
    let fitting: Vec<&Template> = all
        .iter()
        .filter(|template| contexts.contains(&template.context))
        .collect();
    fitting[rng.between(0, fitting.len())]
}

fn nested(context: &str) -> &'static [&'static str] {
    if context.starts_with("json") { &["json"] } else { INSIDE }
}

pub(super) fn positives(templates: &[Template]) -> Vec<Sample> {
    let mut all = Vec::new();
    for (context, encode) in WRAPPED {
        for number in 0..EACH {
            all.push(positive(&format!("{context}/{number}"), context, |rng| {
                let text = fill(chosen(templates, INSIDE, rng).text, rng);
                rng.pick(AROUND).replace("{}", &encode(&text))
            }));
        }
    }
    for (context, encode) in NESTED {
        for number in 0..EACH {
            all.push(positive(&format!("{context}/{number}"), context, |rng| {
                encode(&fill(chosen(templates, nested(context), rng).text, rng))
            }));
        }
    }
    all
}

pub(super) fn harmless(templates: &[Template]) -> Vec<Sample> {
    let contexts = [
        "ids",
        "digests",
        "kubectl",
        "placeholders",
        "names",
        "logs",
        "prose",
        "web",
    ];
    let mut all = Vec::new();
    for (context, encode) in WRAPPED.iter().chain(NESTED) {
        let context = format!("{context}-alike");
        for number in 0..EACH {
            let id = format!("{context}/{number}");
            let mut rng = Rng::named(SEED, &id);
            let text = encode(&fill(chosen(templates, &contexts, &mut rng).text, &mut rng));
            let text = if context.starts_with("json") || context.starts_with("docker") {
                text
            } else {
                rng.pick(AROUND).replace("{}", &text)
            };
            if all.iter().all(|sample: &Sample| sample.text != text) {
                all.push(Sample::harmless(&id, &context, &text));
            }
        }
    }
    all
}
