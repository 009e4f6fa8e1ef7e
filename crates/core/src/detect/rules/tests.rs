use super::*;
use crate::detect::detectors::Detector as _;

/// Random characters of some kinds in the place of `{kind:count}`: the same ones in each run, other ones in each place.
fn expand(text: &str, seed: &mut u64) -> String {
    const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    let of_kind = |kind: &str| -> Option<String> {
        Some(match kind {
            "hex" => "0123456789abcdef".to_owned(),
            "HEX" => "0123456789ABCDEF".to_owned(),
            "digits" => "0123456789".to_owned(),
            "upper" => format!("{UPPER}234567"),
            "lower" => format!("{LOWER}0123456789"),
            "alnum" => format!("{UPPER}{LOWER}0123456789"),
            "alnum19" => "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".to_owned(),
            "b64" => format!("{UPPER}{LOWER}0123456789+/"),
            "url" => format!("{UPPER}{LOWER}0123456789_-"),
            _ => return None,
        })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, opened)) = rest.split_once('{') {
        out.push_str(before);
        let generated = opened.split_once('}').and_then(|(inside, after)| {
            let (kind, count) = inside.split_once(':')?;
            Some((of_kind(kind)?, count.parse::<usize>().ok()?, after))
        });
        let Some((alphabet, count, after)) = generated else {
            out.push('{');
            rest = opened;
            continue;
        };
        for index in 0..count {
            *seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let mut pick = (*seed >> 33) as usize % alphabet.len();
            // Separators at the edges are not what the examples are about.
            while (index == 0 || index + 1 == count) && b"+/_-".contains(&alphabet.as_bytes()[pick]) {
                pick -= 1;
            }
            out.push(char::from(alphabet.as_bytes()[pick]));
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn expanded(seed: u64) -> Vec<RuleSource> {
    let mut seed = seed;
    let mut sources = built_in::sources();
    for source in &mut sources {
        for example in source.examples.iter_mut().chain(&mut source.counterexamples) {
            *example = expand(example, &mut seed);
        }
    }
    sources
}

#[test]
fn every_rule_finds_what_its_examples_say() {
    let mut problems = Vec::new();
    for seed in 0..3 {
        let sources = expanded(seed);
        for source in &sources {
            assert!(
                !source.examples.is_empty() && !source.counterexamples.is_empty(),
                "{}",
                source.id
            );
            assert!(
                !source.why.is_empty() && !source.description.is_empty(),
                "{}",
                source.id
            );
            if let Err(error) = Rules::compile(vec![source.clone()]) {
                problems.push(error.to_string());
            }
        }
    }
    problems.sort();
    problems.dedup();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn all_rules_together_find_what_each_does() {
    let (secrets, _): (Vec<_>, Vec<_>) = expanded(7)
        .into_iter()
        .partition(|source| source.group == Group::Secrets);
    let ids: Vec<String> = secrets.iter().map(|source| source.id.clone()).collect();
    assert!(ids.len() > 120, "{}", ids.len());
    let rules = Rules::compile(secrets.clone()).unwrap();
    // What is an example of a rule is found by all rules together, whole.
    for source in &secrets {
        for example in &source.examples {
            let (text, ranges) = marked(example).unwrap();
            let mut hits = Hits::default();
            rules.detect(text.as_bytes(), &mut hits);
            let merged = hits.merged();
            for range in ranges {
                assert!(
                    merged
                        .iter()
                        .any(|hit| hit.range.start <= range.start && range.end <= hit.range.end),
                    "{} in {text:?}: {merged:?}",
                    source.id
                );
            }
        }
    }
}

fn rule(id: &str, pattern: &str) -> RuleSource {
    serde_saphyr::from_str(&format!("id: '{id}'\ndescription: a rule\npattern: '{pattern}'")).unwrap()
}

#[test]
fn what_is_wrong_with_a_rule_is_said() {
    for (id, pattern, problem) in [
        ("Acme", "acme_[a-z]+", "the id has to be"),
        ("acme", "acme_[", "no regular expression"),
        ("acme", "(?:acme)?", "can match the empty text"),
        ("acme", "acme\\n", "across lines"),
        ("acme", "[a-z]*@[a-z]*.*[0-9]+x*", "no text of two bytes"),
        ("acme", "(?:ac(?:me){500}){500}", "too large"),
    ] {
        let error = Rules::compile(vec![rule(id, pattern)]).unwrap_err();
        assert!(
            error.to_string().contains(problem) && error.rule() == id,
            "{pattern}: {error}"
        );
    }
    let twice = vec![rule("acme", "acme_[a-z]+"), rule("acme", "acme-[a-z]+")];
    assert!(Rules::compile(twice).unwrap_err().problem().contains("two rules"));
    for (example, problem) in [
        (
            "key: ⟦acme_s3cret⟧",
            "in example 1 it finds bytes 5 to 11 instead of bytes 5 to 16",
        ),
        ("key: acme_secret", "has to have a secret"),
    ] {
        let mut source = rule("acme", "acme_[a-z]+");
        source.examples.push(example.to_owned());
        assert!(
            Rules::compile(vec![source]).unwrap_err().problem().contains(problem),
            "{example}"
        );
    }
}

#[test]
fn rules_of_users_may_be_any_regex_with_a_literal() {
    let text = b"EMP-123456, 078-05-1120, acme:a1b2;acme:c3d4";
    let hits = |pattern: &str| {
        let mut hits = Hits::default();
        Rules::compile(vec![rule("acme", pattern)])
            .unwrap()
            .detect(text, &mut hits);
        let found = |hit: &crate::detect::hit::Hit| String::from_utf8_lossy(&text[hit.range.clone()]).into_owned();
        hits.as_slice().iter().map(found).collect::<Vec<_>>()
    };
    assert_eq!(hits("EMP-[0-9]{6}"), ["EMP-123456"]);
    assert_eq!(hits("[0-9]{3}-[0-9]{2}-[0-9]{4}"), ["078-05-1120"]);
    assert_eq!(hits("acme:(?P<secret>(?:[a-z][0-9])+)"), ["a1b2", "c3d4"]);
}

#[test]
fn a_line_made_to_be_read_over_and_over_is_masked() {
    let mut source = rule("acme", "ab[a-c]*d[a-z]{9}");
    source.begins = Begins::Anywhere;
    let rules = Rules::compile(vec![source]).unwrap();
    let mut text = "ab".repeat(300_000).into_bytes();
    let line = text.len();
    text.extend_from_slice(b"\nab abdabcdefghi ab");
    let mut hits = Hits::default();
    rules.detect(&text, &mut hits);
    let merged = hits.merged();
    assert_eq!(merged.len(), 2, "{merged:?}");
    assert_eq!(merged[0].range.end, line);
    assert_eq!(&text[merged[1].range.clone()], b"abdabcdefghi");
}
