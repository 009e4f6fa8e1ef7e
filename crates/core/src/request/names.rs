//! The grammars that names in a URL have to follow.

use super::alphabets::Alphabets;

/// A text, and which alphabets it is written in: whoever splits a path finds that out on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) alphabets: Alphabets,
}

impl<'a> Word<'a> {
    pub(super) const EMPTY: Self = Self {
        text: "",
        alphabets: Alphabets::ALL,
    };

    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            alphabets: Alphabets::of_all(text),
        }
    }

    pub(super) fn is_empty(self) -> bool {
        self.text.is_empty()
    }

    /// A DNS label: `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, at most 63 characters.
    #[inline]
    pub(super) fn is_dns_label(self) -> bool {
        self.text.len() <= 63 && self.is_dns_word()
    }

    /// A lower-case DNS subdomain: labels joined by dots, at most 253 characters.
    #[inline]
    pub(super) fn is_dns_subdomain(self) -> bool {
        let labels = || self.text.split('.').all(|label| Word::new(label).is_dns_word());
        self.text.len() <= 253 && (self.is_dns_word() || labels())
    }

    fn is_dns_word(self) -> bool {
        self.alphabets.contain(Alphabets::LABEL)
            && !self.is_empty()
            && !self.text.starts_with('-')
            && !self.text.ends_with('-')
    }

    /// A version in a path: `[a-z][a-z0-9]*`; discovery decides whether it exists.
    #[inline]
    pub(super) fn is_version(self) -> bool {
        self.alphabets.contain(Alphabets::ALPHANUMERIC)
            && self.text.starts_with(|first: char| first.is_ascii_lowercase())
    }

    /// A subresource: `[a-z]+`.
    #[inline]
    pub(super) fn is_subresource(self) -> bool {
        self.alphabets.contain(Alphabets::LOWER_CASE) && !self.is_empty()
    }
}

/// A version in the form that Kubernetes gives its own: `v1`, `v2beta1`.
pub(super) fn is_kube_version(text: &str) -> bool {
    let number = |text: &str| !text.starts_with('0') && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some(rest) = text.strip_prefix('v') else {
        return false;
    };
    match rest.split_once("alpha").or_else(|| rest.split_once("beta")) {
        Some((major, minor)) => number(major) && number(minor),
        None => number(rest),
    }
}

/// What stands in the place of a subresource on a metrics group: the name of a metric.
pub(super) fn is_metric(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-'))
}

/// What upstream accepts as the name of an object in a path (`content.IsPathSegmentName`).
pub(super) fn is_path_segment_name(text: &str) -> bool {
    text != "." && text != ".." && !text.contains(['/', '%'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_dns_label(text: &str) -> bool {
        Word::new(text).is_dns_label()
    }

    fn is_dns_subdomain(text: &str) -> bool {
        Word::new(text).is_dns_subdomain()
    }

    fn is_version(text: &str) -> bool {
        Word::new(text).is_version()
    }

    #[test]
    fn labels_and_subdomains() {
        assert!(is_dns_label("a") && is_dns_label("0-a") && is_dns_label(&"a".repeat(63)));
        for wrong in ["", "-a", "a-", "A", "a.b", "a_b", &"a".repeat(64), "é"] {
            assert!(!is_dns_label(wrong), "{wrong}");
        }
        assert!(is_dns_subdomain("apps") && is_dns_subdomain("a.b-c.d0"));
        for wrong in ["", ".", "a.", ".a", "a..b", "A.b", "a.-b"] {
            assert!(!is_dns_subdomain(wrong), "{wrong}");
        }
    }

    #[test]
    fn versions() {
        for right in ["v1", "v2beta1", "v10alpha12"] {
            assert!(is_kube_version(right) && is_version(right), "{right}");
        }
        for wrong in [
            "v",
            "v0",
            "v01",
            "version",
            "1",
            "v1beta",
            "v1beta1x",
            "v1beta1alpha1",
            "v1gamma1",
            "V1",
        ] {
            assert!(!is_kube_version(wrong), "{wrong}");
        }
        assert!(is_version("version") && is_version("resource"));
        assert!(!is_version("") && !is_version("1a") && !is_version("v1.2") && !is_version("V1"));
    }
}
