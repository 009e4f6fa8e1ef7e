//! SHA-256 digests, and the one way in which they are fed.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest, shown and stored as `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of some bytes as they are.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first twelve hexadecimal digits: enough for a human to compare two lines, too few to prove anything.
    #[must_use]
    pub fn short(&self) -> String {
        hex::encode(self.0).chars().take(12).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// A text that is no digest.
#[derive(Debug, thiserror::Error)]
#[error("not a digest: expected `sha256:` and 64 hexadecimal digits")]
pub struct ParseDigestError;

impl std::str::FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("sha256:").ok_or(ParseDigestError)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| ParseDigestError)?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = ParseDigestError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Feeds named, length-delimited fields, so that no two lists of fields ever give the same bytes.
#[derive(Debug, Clone)]
pub struct FieldHasher(Sha256);

impl FieldHasher {
    /// Starts a digest for one purpose; digests of different purposes never collide.
    #[must_use]
    pub fn new(purpose: &str) -> Self {
        let mut hasher = Self(Sha256::new());
        hasher.delimited(purpose.as_bytes());
        hasher
    }

    /// Adds one field.
    pub fn field(&mut self, name: &str, value: impl AsRef<[u8]>) -> &mut Self {
        self.delimited(name.as_bytes());
        self.delimited(value.as_ref());
        self
    }

    /// Adds one field that may be absent, which differs from being empty.
    pub fn optional(&mut self, name: &str, value: Option<impl AsRef<[u8]>>) -> &mut Self {
        match value {
            Some(value) => self.field(name, value),
            None => {
                self.delimited(name.as_bytes());
                self.0.update(u64::MAX.to_be_bytes());
                self
            }
        }
    }

    /// The digest over all fields so far.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }

    fn delimited(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_delimited() {
        let digest = |a: &str, b: &str| {
            let mut hasher = FieldHasher::new("test");
            hasher.field("a", a).field("b", b);
            hasher.finish()
        };
        assert_ne!(digest("xy", "z"), digest("x", "yz"));
        let mut absent = FieldHasher::new("test");
        absent.optional("a", None::<&str>);
        let mut empty = FieldHasher::new("test");
        empty.optional("a", Some(""));
        assert_ne!(absent.finish(), empty.finish());
    }

    #[test]
    fn digests_read_back() {
        let digest = Digest::of(b"x");
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        assert!("sha256:zz".parse::<Digest>().is_err());
    }
}
