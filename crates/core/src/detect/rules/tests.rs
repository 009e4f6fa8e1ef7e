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
