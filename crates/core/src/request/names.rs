//! The grammars that names in a URL have to follow.

use super::byte_set::ByteSet;

/// A DNS label: `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, at most 63 characters.
pub(super) fn is_dns_label(text: &str) -> bool {
    text.len() <= 63 && is_dns_word(text.as_bytes())
}

/// A lower-case DNS subdomain: labels joined by dots, at most 253 characters.
pub(super) fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.as_bytes().split(|byte| *byte == b'.').all(is_dns_word)
}

fn is_dns_word(text: &[u8]) -> bool {
    static LETTERS: ByteSet = ByteSet::LOWER_CASE.and(ByteSet::DIGITS).and(ByteSet::new(b"-"));
    text.first().is_some_and(|byte| *byte != b'-')
        && text.last().is_some_and(|byte| *byte != b'-')
        && text.iter().all(|byte| LETTERS.contains(*byte))
}

/// A version in a path: `[a-z][a-z0-9]*`; discovery decides whether it exists.
pub(super) fn is_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
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

/// A subresource: `[a-z]+`.
pub(super) fn is_subresource(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase())
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
