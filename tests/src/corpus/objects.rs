//! The same texts inside objects, and values that only the name of their field gives away.

use serde_json::{Value, json};

use super::rng::Rng;
use super::sample::Sample;
use super::score::{Seen, see};
use super::template::fill;
use super::{SEED, is_pii, positive, samples};
use crate::vectors::mask::{JsonAnswer, JsonCase, mask_json};

/// Where a text can stand.
struct Place {
    context: &'static str,
    url: &'static str,
    /// The object around a text, by a name that may tell what it is.
    object: fn(&str, &str) -> Value,
    /// Where the text is in it.
    pointer: fn(&str) -> String,
    /// A name that tells nothing.
    neutral: &'static str,
    /// Whether names of fields are looked at there, in the way that environment variables are.
    named: Option<Naming>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    Variable,
    Field,
}

fn pod(env: Value, annotations: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "namespace": "team-a", "annotations": annotations},
        "spec": {"containers": [{"name": "web", "image": "registry.example.com/web:v1", "env": env}]}})
}

const PLACES: &[Place] = &[
    Place {
        context: "pod-env",
        url: "/api/v1/namespaces/team-a/pods/web-0",
        object: |name, text| pod(json!([{"name": name, "value": text}]), json!({})),
        pointer: |_| "/spec/containers/0/env/0/value".to_owned(),
        neutral: "SETTINGS",
        named: Some(Naming::Variable),
    },
    Place {
        context: "annotation",
        url: "/api/v1/namespaces/team-a/pods/web-0",
        object: |name, text| pod(json!([]), json!({name: text})),
        pointer: |name| format!("/metadata/annotations/{}", name.replace('/', "~1")),
        neutral: "example.com/note",
        named: None,
    },
    Place {
        context: "config-map",
        url: "/api/v1/namespaces/team-a/configmaps/app",
        object: |name, text| {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app", "namespace": "team-a"},
                "data": {name: text}})
        },
        pointer: |name| format!("/data/{name}"),
        neutral: "notes.txt",
        named: Some(Naming::Variable),
    },
    Place {
        context: "event",
        url: "/api/v1/namespaces/team-a/events/web-0.17a",
        object: |_, text| {
            json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "web-0.17a", "namespace": "team-a"},
                "involvedObject": {"kind": "Pod", "name": "web-0", "namespace": "team-a"},
                "reason": "Failed", "message": text, "type": "Warning", "count": 3})
        },
        pointer: |_| "/message".to_owned(),
        neutral: "message",
        named: None,
    },
    Place {
        context: "custom-resource",
        url: "/apis/example.com/v1/namespaces/team-a/widgets/w",
        object: |name, text| {
            json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "team-a"},
                "spec": {"size": 3, "settings": {name: text}}})
        },
        pointer: |name| format!("/spec/settings/{name}"),
        neutral: "notes",
        named: Some(Naming::Field),
    },
];

/// Names of variables whose values are secret.
const VARIABLES: &[&str] = &[
    "DB_PASSWORD",
    "POSTGRES_PASSWORD",
    "MYSQL_ROOT_PASSWORD",
    "API_KEY",
    "STRIPE_SECRET_KEY",
    "JWT_SECRET",
    "AUTH_TOKEN",
    "GITHUB_TOKEN",
    "SMTP_PASS",
    "REDIS_PASSWD",
    "CLIENT_SECRET",
    "SIGNING_KEY",
    "ENCRYPTION_KEY",
    "PRIVATE_KEY",
    "SESSION_SECRET",
    "AWS_SECRET_ACCESS_KEY",
    "LDAP_BIND_PASSWORD",
    "VAULT_TOKEN",
    "KEYSTORE_PASSPHRASE",
    "DB_CREDENTIALS",
    "ADMIN_PASSWORD_2",
    "SECRETS",
    "db.password",
    "spring.datasource.password",
    "api-token",
    "dbPass",
];

/// Names of fields whose values are secret.
const FIELDS: &[&str] = &[
    "password",
    "adminPassword",
    "token",
    "apiKey",
    "api_key",
    "accessKey",
    "secretKey",
    "clientSecret",
    "privateKey",
    "passphrase",
    "connectionString",
    "bearerToken",
    "credentials",
    "secret",
    "dbPasswords",
    "root-password",
    "signingKey",
    "encryptionKey",
    "passwordHash",
    "authToken",
];

/// Variables and fields whose names only sound like it, with a value of theirs.
const SOUNDING: &[(&str, &str)] = &[
    ("PASSWORD_FILE", "/run/secrets/db-«suffix»"),
    ("SECRET_NAME", "«app»-db"),
    ("TOKEN_URL", "https://auth.example.com/token"),
    ("TOKEN_TTL", "3600"),
    ("MAX_TOKENS", "4096"),
    ("COOKIE_DOMAIN", ".example.com"),
    ("SESSION_TIMEOUT", "30m"),
    ("AUTH_TYPE", "oidc"),
    ("TOKENIZERS_PARALLELISM", "false"),
    ("DB_PASSWORD", "$(DB_PASSWORD_FROM_VAULT)"),
    ("DB_PASSWORD", "${DB_PASSWORD}"),
    ("API_KEY", "<redacted>"),
    ("PASSWORD_REQUIRED", "true"),
    ("DB_PASSWORD", ""),
    ("KEY_FILE", "/etc/tls/tls.key"),
    ("CLIENT_ID", "«uuid»"),
    ("GIT_COMMIT", "«sha1»"),
    ("IMAGE", "«image»@sha256:«sha256»"),
    ("secretName", "«app»-tls"),
    ("tokenType", "Bearer"),
    ("existingSecret", "«app»-db"),
    ("passwordSecretName", "«app»-db"),
    ("authMethod", "kubernetes"),
    ("partitionKey", "tenant"),
    ("publicKey", "«ssh-pub»"),
    ("tokenPath", "/var/run/token"),
    ("resourceVersion", "«rv»"),
    ("checksum", "«sha256»"),
    ("uid", "«uuid»"),
    ("trace", "«trace»"),
    ("continue", "«continue»"),
    ("caBundle", "«cert64»"),
    ("image", "«image»:«tag»"),
    ("schedule", "*/5 * * * *"),
    ("description", "rotates the db password"),
];

impl Place {
    fn see(&self, sample: &Sample, name: &str) -> Seen {
        let before = (self.object)(name, &sample.text);
        let case = JsonCase {
            id: Value::Null,
            method: "GET".to_owned(),
            url: self.url.to_owned(),
            status: 200,
            content_type: "application/json".to_owned(),
            body: before.to_string(),
            chunk: None,
        };
        let after = match mask_json(&case) {
            JsonAnswer::Masked { body, .. } => serde_json::from_str(&body).ok(),
            JsonAnswer::Refused { .. } => None,
        };
        let text = after
            .as_ref()
            .and_then(|after: &Value| after.pointer(&(self.pointer)(name))?.as_str());
        let mut seen = see(sample, text.unwrap_or_default());
        seen.id = format!("{}:{}", self.context, sample.id);
        self.context.clone_into(&mut seen.context);
        seen.broken |= text.is_none();
        // What is beside the text must stay too.
        seen.touched |= sample.harmless && after.as_ref() != Some(&before);
        seen
    }

    fn names(&self) -> (&'static [&'static str], bool) {
        match self.named {
            Some(Naming::Variable) => (VARIABLES, true),
            Some(Naming::Field) => (FIELDS, true),
            None => (&[], false),
        }
    }
}

/// Every sample in every place, and values under names that tell what they are.
#[must_use]
pub fn see_all(only: &str) -> Vec<Seen> {
    let texts: Vec<Sample> = samples()
        .into_iter()
        .filter(|sample| !is_pii(&sample.context))
        .collect();
    let mut seen = Vec::new();
    for place in PLACES {
        let wanted = |sample: &Sample| format!("{}:{}", place.context, sample.id).contains(only);
        for sample in texts.iter().filter(|sample| wanted(sample)) {
            seen.push(place.see(sample, place.neutral));
        }
        let (names, sounding) = place.names();
        for name in names {
            for (time, value) in ["«pw»", "«pwx»", "«opaque»", "«pwq»"].iter().enumerate() {
                let id = format!("{}-name/{name}.{time}", place.context);
                let sample = positive(&id, place.context, |rng| fill(value, rng));
                if wanted(&sample) {
                    seen.push(place.see(&sample, name));
                }
            }
        }
        for (number, (name, value)) in SOUNDING.iter().enumerate().filter(|_| sounding) {
            let id = format!("{}-name-alike/{name}.{number}", place.context);
            let sample = Sample::harmless(&id, place.context, &fill(value, &mut Rng::named(SEED, &id)));
            if wanted(&sample) {
                seen.push(place.see(&sample, name));
            }
        }
    }
    seen
}
