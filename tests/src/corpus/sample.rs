//! One labelled text.

use memchr::memmem;
use serde::{Deserialize, Serialize};

use countersign_core::mask::MARKER;

use super::marked::unmark;

/// How many bytes in a row of a secret are a leak.
pub const LEAK: usize = 6;

/// A text, and what must not be in it after masking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// `context/template.repetition`.
    pub id: String,
    /// Where such texts are met.
    pub context: String,
    /// The text.
    pub text: String,
    /// What must vanish.
    pub secrets: Vec<String>,
    /// Whether nothing must vanish.
    pub harmless: bool,
}

/// Why a text is no sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Nothing is marked.
    NoSecret,
    /// What would count as a leak stands outside the secrets as well.
    Ambiguous,
}

impl Sample {
    /// A text with marked secrets.
    pub(crate) fn positive(id: &str, context: &str, marked: &str) -> Result<Self, Unfit> {
        let (text, ranges) = unmark(marked);
        let mut around = text.clone().into_bytes();
        let mut secrets: Vec<String> = Vec::new();
        for range in ranges {
            // What is left has a byte that no text has, so nothing is found across it.
            around[range.clone()].fill(0);
            let secret = text[range].to_owned();
            if !secret.is_empty() && !secrets.contains(&secret) {
                secrets.push(secret);
            }
        }
        if secrets.is_empty() {
            return Err(Unfit::NoSecret);
        }
        let known = [around.as_slice(), MARKER.as_bytes()];
        if secrets
            .iter()
            .any(|secret| known.iter().any(|text| survives(secret, text)))
        {
            return Err(Unfit::Ambiguous);
        }
        let (id, context) = (id.to_owned(), context.to_owned());
        Ok(Self {
            id,
            context,
            text,
            secrets,
            harmless: false,
        })
    }

    /// A text that must stay as it is.
    pub(crate) fn harmless(id: &str, context: &str, text: &str) -> Self {
        Self {
            id: id.to_owned(),
            context: context.to_owned(),
            text: unmark(text).0,
            secrets: Vec::new(),
            harmless: true,
        }
    }
}

/// Whether enough of a secret is in a text: any six bytes of it in a row, the whole of a shorter one.
#[must_use]
pub fn survives(secret: &str, text: &[u8]) -> bool {
    secret
        .as_bytes()
        .windows(secret.len().clamp(1, LEAK))
        .any(|window| memmem::find(text, window).is_some())
}
