//! How much leaks, and how much is masked that need not be.

use std::collections::BTreeMap;
use std::fmt;

use countersign_core::mask::MARKER;
use serde_json::Value;

use super::sample::{Sample, survives};

/// What was seen at one sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The sample.
    pub id: String,
    /// Its context.
    pub context: String,
    /// Number of its secrets.
    pub secrets: usize,
    /// Those of which enough survived.
    pub leaked: Vec<String>,
    /// Whether it is a look-alike.
    pub harmless: bool,
    /// Whether it is a look-alike and was changed.
    pub touched: bool,
    /// Bytes of it; of a text with secrets, those around them.
    pub bytes: usize,
    /// Those that need not have gone.
    pub changed: usize,
    /// Whether it was JSON, and is no more.
    pub broken: bool,
    /// What came out.
    pub masked: String,
}

/// Compares a sample with what was handed out of it.
#[must_use]
pub fn see(sample: &Sample, masked: &str) -> Seen {
    // The marker is in no secret; without it nothing is found that ends in it.
    let left = masked.replace(MARKER, "\0");
    let leaked = sample.secrets.iter().filter(|secret| survives(secret, left.as_bytes()));
    let secret_bytes: usize = sample
        .secrets
        .iter()
        .map(|secret| secret.len() * sample.text.matches(secret.as_str()).count())
        .sum();
    let bytes = sample.text.len().saturating_sub(secret_bytes);
    let kept = left.bytes().filter(|byte| *byte != 0).count();
    let touched = sample.harmless && masked != sample.text;
    Seen {
        id: sample.id.clone(),
        context: sample.context.clone(),
        secrets: sample.secrets.len(),
        leaked: leaked.cloned().collect(),
        harmless: sample.harmless,
        touched,
        bytes,
        changed: bytes.saturating_sub(kept).max(usize::from(touched)),
        broken: is_broken(&sample.text, masked),
        masked: masked.to_owned(),
    }
}

/// Whether what was JSON, as a whole or line by line, is no more.
fn is_broken(before: &str, after: &str) -> bool {
    let is_json = |text: &str| {
        let text = text.trim();
        (text.starts_with('{') || text.starts_with('[')) && serde_json::from_str::<Value>(text).is_ok()
    };
    if is_json(before) {
        // What went as a whole, as a file of credentials does, is not broken.
        return !is_json(after) && after != MARKER;
    }
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    before.len() == after.len()
        && before
            .iter()
            .zip(&after)
            .any(|(before, after)| is_json(before) && !is_json(after))
}

/// Sums of a context or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row {
    /// Samples.
    pub samples: usize,
    /// Secrets in them.
    pub secrets: usize,
    /// Secrets that leaked.
    pub leaked: usize,
    /// Samples with secrets.
    pub positive: usize,
    /// Those in which a secret leaked: long keys have many lines, each of them a secret.
    pub leaky: usize,
    /// Look-alikes.
    pub harmless: usize,
    /// Look-alikes that were changed.
    pub touched: usize,
    /// Bytes of the look-alikes.
    pub harmless_bytes: usize,
    /// Those that went.
    pub harmless_changed: usize,
    /// Bytes around secrets.
    pub around_bytes: usize,
    /// Those that went with the secrets.
    pub around_changed: usize,
    /// Texts that were JSON, and are no more.
    pub broken: usize,
}

fn percent(part: usize, whole: usize) -> f64 {
    // Counts of a corpus are far below where a double is inexact.
    if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}

impl Row {
    fn add(&mut self, seen: &Seen) {
        self.samples += 1;
        self.secrets += seen.secrets;
        self.leaked += seen.leaked.len();
        self.broken += usize::from(seen.broken);
        if seen.harmless {
            self.harmless += 1;
            self.touched += usize::from(seen.touched);
            self.harmless_bytes += seen.bytes;
            self.harmless_changed += seen.changed;
        } else {
            self.positive += 1;
            self.leaky += usize::from(!seen.leaked.is_empty());
            self.around_bytes += seen.bytes;
            self.around_changed += seen.changed;
        }
    }

    /// Share of the secrets that leaked, in percent.
    #[must_use]
    pub fn leak(&self) -> f64 {
        percent(self.leaked, self.secrets)
    }

    /// Share of the samples with secrets in which one leaked, in percent.
    #[must_use]
    pub fn leaks(&self) -> f64 {
        percent(self.leaky, self.positive)
    }

    /// Share of the look-alikes that were changed, in percent.
    #[must_use]
    pub fn touch(&self) -> f64 {
        percent(self.touched, self.harmless)
    }

    /// Share of the look-alikes' bytes that went, in percent.
    #[must_use]
    pub fn over(&self) -> f64 {
        percent(self.harmless_changed, self.harmless_bytes)
    }

    /// Share of the bytes around secrets that went with them, in percent.
    #[must_use]
    pub fn around(&self) -> f64 {
        percent(self.around_changed, self.around_bytes)
    }
}

/// All sums.
#[derive(Debug, Clone, Default)]
pub struct Score {
    /// By context.
    pub contexts: BTreeMap<String, Row>,
    /// Of those for which `counts` was true.
    pub total: Row,
}

impl Score {
    /// Sums up; the total is of those contexts that count.
    #[must_use]
    pub fn of<'a>(seen: impl IntoIterator<Item = &'a Seen>, counts: impl Fn(&str) -> bool) -> Self {
        let mut score = Self::default();
        for seen in seen {
            score.contexts.entry(seen.context.clone()).or_default().add(seen);
            if counts(&seen.context) {
                score.total.add(seen);
            }
        }
        score
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<24}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}{:>9}{:>8}{:>8}{:>9}{:>8}{:>7}",
            "context",
            "samples",
            "secrets",
            "leaked",
            "leak %",
            "leaky",
            "leaky %",
            "harmless",
            "touched",
            "touch %",
            "bytes %",
            "around %",
            "broken"
        )?;
        let rows = self.contexts.iter().map(|(context, row)| (context.as_str(), row));
        for (context, row) in rows.chain([("total", &self.total)]) {
            writeln!(
                f,
                "{context:<24}{:>8}{:>8}{:>8}{:>8.2}{:>8}{:>8.2}{:>9}{:>8}{:>8.2}{:>9.3}{:>8.1}{:>7}",
                row.samples,
                row.secrets,
                row.leaked,
                row.leak(),
                row.leaky,
                row.leaks(),
                row.harmless,
                row.touched,
                row.touch(),
                row.over(),
                row.around(),
                row.broken
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(text: &str, secrets: &[&str]) -> Sample {
        Sample {
            id: "a/0".into(),
            context: "a".into(),
            text: text.into(),
            secrets: secrets.iter().map(|&secret| secret.to_owned()).collect(),
            harmless: secrets.is_empty(),
        }
    }

    #[test]
    fn six_bytes_are_a_leak_and_five_are_not() {
        let positive = sample("password=abcdefghij;", &["abcdefghij"]);
        assert_eq!(see(&positive, &format!("password={MARKER}fghij;")).leaked.len(), 0);
        assert_eq!(see(&positive, &format!("password={MARKER}efghij;")).leaked.len(), 1);
        let masked = see(&positive, &format!("{MARKER};"));
        assert_eq!((masked.bytes, masked.changed), (10, 9));
        let short = sample("pin=1234", &["1234"]);
        assert_eq!(see(&short, "pin=123").leaked.len(), 0);
        assert_eq!(see(&short, "pin=1234").leaked.len(), 1);
    }

    #[test]
    fn a_look_alike_that_changes_is_touched() {
        let harmless = sample("id=abcdef", &[]);
        assert!(!see(&harmless, "id=abcdef").touched);
        let seen = see(&harmless, &format!("id={MARKER}"));
        assert!(seen.touched);
        assert_eq!((seen.bytes, seen.changed), (9, 6));
    }

    #[test]
    fn json_must_stay_json() {
        assert!(is_broken(r#"{"a":"b"}"#, r#"{"a":"b}"#));
        assert!(is_broken("x\n{\"a\":1}\n", "x\n{\"a\":}\n"));
        assert!(!is_broken("{no json}", "{"));
    }
}
