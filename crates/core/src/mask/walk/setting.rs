//! Values that somebody set under a name: of an environment variable, of a ConfigMap.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::names::Names;
use super::repeat::{Kind, Look};
use super::trail::Trail;
use super::{Page, Result, Scope, Walk};
use crate::detect;
use crate::json::Value;
use crate::mask::cursor::{Shape, Text};
use crate::mask::marker::{self, MARKER};

pub(super) const RULE: &str = "setting";

impl<'p> Walk<'p> {
    /// Masks a value that was set under a name.
    pub(super) fn setting(
        &mut self,
        page: &mut Page<'_>,
        trail: &Trail<'p>,
        names: Names<'_>,
        scope: Scope<'_>,
    ) -> Result<()> {
        if self.plan.is_strict() {
            let marker = if trail.is_base64 { marker::encoded() } else { MARKER };
            return self.whole(page, trail.place, marker, RULE);
        }
        if page.cursor.shape()? != Shape::String {
            return self.value(page, trail, names, scope);
        }
        let text = page.cursor.string()?;
        let kind = if trail.is_base64 {
            Kind::Base64Setting
        } else {
            Kind::Setting
        };
        let look = self.look_at_text(page, &text, (kind, names), scope);
        if !matches!(look, Look::Seen) {
            self.text_of_setting(page, &text, trail.is_base64, names, scope)?;
            self.learn_text(page, look, &text, (kind, names), scope);
        }
        Ok(())
    }

    fn text_of_setting(
        &mut self,
        page: &mut Page<'_>,
        text: &Text<'_>,
        is_base64: bool,
        names: Names<'_>,
        scope: Scope<'_>,
    ) -> Result<()> {
        let value = text.decode();
        let decoded = is_base64.then(|| marker::decode_base64(&value)).flatten();
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        // What a cluster publishes of itself has the name of a secret, and is none.
        if decoded.is_none() && is_published(&value) {
            return self.decoded(page, text, &value, (is_base64, Names::default()), scope);
        }
        let (name, plain) = (names.own.unwrap_or_default(), decoded.as_deref().unwrap_or(&value));
        let is_secret = self.plan.scans() && self.plan.detectors().is_secret_setting(name, plain);
        if is_secret {
            let marker = if is_base64 { marker::encoded() } else { MARKER };
            self.replace_whole(page, text, marker, detect::NAMED);
            return Ok(());
        }
        if is_credentials(name, plain) {
            let marker = if is_base64 { marker::encoded() } else { MARKER };
            self.replace_whole(page, text, marker, RULE);
            return Ok(());
        }
        self.decoded(page, text, &value, (is_base64, names), scope)
    }
}

/// Whether a text is a file that is nothing but credentials.
fn is_credentials(name: &str, text: &str) -> bool {
    let is_release = name == "release" && is_packed(text);
    is_release
        || name.starts_with("jws-kubeconfig-")
        || is_private_key(text)
        || is_kubeconfig(text)
        || is_docker_config(text)
}

/// Whether a text is what Helm keeps: gzip in base64, once or twice.
fn is_packed(text: &str) -> bool {
    // The first bytes of gzip, in base64 once and twice.
    text.starts_with("H4sI") || text.starts_with("SDRzS")
}

/// The same wherever it stands, whatever it is called.
pub(super) fn is_file_of_credentials(text: &str) -> bool {
    const SHORTEST: usize = 24;
    text.len() >= SHORTEST
        && match text.trim_start().as_bytes().first() {
            Some(b'-' | b'P') => is_private_key(text),
            Some(b'{') => is_kubeconfig(text) || is_docker_config(text),
            _ => text.contains('\n') && is_kubeconfig(text),
        }
}

static USERS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("users"));
static CLUSTERS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("clusters"));

fn is_private_key(text: &str) -> bool {
    let starts = text.trim_start().starts_with("-----BEGIN ") || text.starts_with("PuTTY-User-Key-File-");
    starts && (text.contains("PRIVATE KEY") || text.contains("PuTTY"))
}

fn has(text: &str, part: &Finder<'_>) -> bool {
    part.find(text.as_bytes()).is_some()
}

/// Whether a text is a kubeconfig with users in it.
fn is_kubeconfig(text: &str) -> bool {
    if !has(text, &USERS) || !has(text, &CLUSTERS) {
        return false;
    }
    if text.trim_start().starts_with('{') {
        return Value::parse(text.as_bytes()).is_ok_and(|config| {
            config.get("clusters").is_some()
                && config
                    .get("users")
                    .and_then(Value::as_array)
                    .is_some_and(|users| !users.is_empty())
        });
    }
    let mut lines = text.lines();
    let Some(inline) = lines.find_map(|line| line.strip_prefix("users:")) else {
        return false;
    };
    let has_users = match inline.trim() {
        "[]" | "null" | "~" | "{}" => false,
        inline if inline.is_empty() || inline.starts_with('#') => {
            let first = lines.find(|line| !line.trim().is_empty());
            first.is_some_and(|line| line.starts_with(['-', ' ', '\t']))
        }
        _ => true,
    };
    has_users && text.lines().any(|line| line.starts_with("clusters:"))
}

/// Whether a text is a kubeconfig without users, as in `kube-public/cluster-info`.
fn is_published(text: &str) -> bool {
    has(text, &CLUSTERS) && text.lines().any(|line| line.starts_with("clusters:")) && !is_kubeconfig(text)
}

fn is_docker_config(text: &str) -> bool {
    let starts = text.trim_start().starts_with('{');
    if !starts || !(text.contains("\"auth") || text.contains("\"identitytoken\"")) {
        return false;
    }
    let Ok(config) = Value::parse(text.as_bytes()) else {
        return false;
    };
    let is_entry = |value: &Value| {
        ["auth", "identitytoken", "registrytoken"]
            .iter()
            .any(|key| value.get(key).is_some())
    };
    let known = config.get("auths");
    let registries = known.unwrap_or(&config).as_object();
    let has_password = |registry: &Value| known.is_some() && registry.get("password").is_some();
    registries.is_some_and(|registries| {
        let mut registries = registries.iter();
        registries.any(|(_, registry)| is_entry(registry) || has_password(registry))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_credentials() {
        for (name, text) in [
            (
                "x",
                "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\n",
            ),
            (
                "x",
                "apiVersion: v1\nkind: Config\nclusters:\n- name: a\nusers:\n- name: b\n  user: {}\n",
            ),
            ("x", r#"{"kind":"Config","clusters":[],"users":[{"name":"a"}]}"#),
            ("x", r#"{"auths":{"r.io":{"auth":"YTpi"}}}"#),
            ("x", r#"{"r.io":{"auth":"YTpi"}}"#),
            ("release", "H4sIAAAA"),
            ("jws-kubeconfig-abcdef", "eyJ"),
        ] {
            assert!(is_credentials(name, text), "{text}");
        }
        for (name, text) in [
            ("x", "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"),
            ("kubeconfig", "apiVersion: v1\nclusters:\n- name: a\nusers: []\n"),
            ("kubeconfig", "clusters:\n- name: a\nusers:\ncontexts: []\n"),
            ("kubeconfig", "clusters:\n- name: a\nusers: null\n"),
            ("x", r#"{"auths":{}}"#),
            ("x", r#"{"author":"me"}"#),
            ("release", "1.2.3"),
            ("users", "the users of our clusters"),
        ] {
            assert!(!is_credentials(name, text), "{text}");
        }
    }
}
