//! An Ingress or a route that configures the proxy, switches authentication, or reaches into another namespace.
//!
//! 1. Annotations of an Ingress, whatever prefix the controller was told to use: snippets (`*-snippet`, `*-snippets`,
//!    HAProxy's `config-*`), which are configuration of the proxy, and whatever is about authentication.
//! 2. Annotations that name a Secret or ConfigMap as `namespace/name`, or a Traefik object as `namespace-name@provider`, of
//!    another namespace.
//! 3. Such an annotation that a JSON Patch copies or moves into an object that nobody knows: its key alone tells.
//! 4. In the groups of gateways and routes: a `namespace` other than the object's own beside a `name`, and snippets, at any
//!    depth of the specification.

use super::place::{Place, elements, pointer_of};
use super::sightings::{MAX_DEPTH, Sightings, report};
use super::states::{Before, States};
use super::{Concern, Finding};
use crate::json::Value;
use crate::request::attributes::{Attributes, Verb};
use crate::request::effect_table::is_group_below;
use crate::request::patch_oracle::tokens;

/// Groups of gateways and routes, and all groups below them.
const ROUTING_GROUPS: [&str; 9] = [
    "gateway.networking.k8s.io",
    "gateway.networking.x-k8s.io",
    "traefik.io",
    "traefik.containo.us",
    "projectcontour.io",
    "k8s.nginx.org",
    "gateway.nginx.org",
    "networking.istio.io",
    "haproxy.org",
];

/// Name parts of annotations about authentication.
const AUTHENTICATION: [&str; 6] = ["auth-", "basic-auth", "jwt-", "oauth", "oidc-", "enable-global-auth"];

/// Endings of name parts of annotations whose value may be `namespace/name`.
const REFERENCES: [&str; 4] = ["secret", "secrets", "configmap", "headers"];

/// Finds what a change of an Ingress, a gateway or a route does to the proxy and to other namespaces.
pub(super) fn findings(attributes: &Attributes, body: &Value, states: &States, out: &mut Vec<Finding>) {
    if !attributes.subresource.is_empty() {
        return;
    }
    let own = attributes.namespace.as_str();
    let group = attributes.api_group.as_str();
    if attributes.resource == "ingresses" {
        carried_annotations(attributes, body, states, out);
        report(states, out, |object, seen| annotations(object, own, seen));
    } else if ROUTING_GROUPS.iter().any(|parent| is_group_below(group, parent)) {
        carried_annotations(attributes, body, states, out);
        report(states, out, |object, seen| {
            annotations(object, own, seen);
            if let Some(spec) = object.get("spec") {
                search(&Place::ROOT.key("spec"), spec, own, 0, seen);
            }
        });
    }
}

fn annotations(object: &Value, own: &str, seen: &mut Sightings) {
    let annotations = object.at(&["metadata", "annotations"]).and_then(Value::as_object);
    let metadata = Place::ROOT.key("metadata");
    let place = metadata.key("annotations");
    let set = annotations.into_iter().flat_map(|annotations| annotations.iter());
    for (key, value) in set.filter(|(_, value)| **value != Value::Null) {
        let (prefix, name) = key.split_once('/').unwrap_or(("", key));
        if configures_proxy(prefix, name) {
            seen.anew(Concern::IngressSnippet, &place.key(key), value, None);
        }
        let text = value.as_str().unwrap_or_default();
        let elsewhere = if prefix.contains("traefik") {
            text.split(',').find(|object| is_traefik_elsewhere(object.trim(), own))
        } else if REFERENCES.iter().any(|end| name.ends_with(end)) {
            text.split_once('/')
                .map(|(namespace, _)| namespace)
                .filter(|namespace| *namespace != own)
        } else {
            None
        };
        if let Some(elsewhere) = elsewhere {
            seen.anew(Concern::CrossNamespace, &place.key(key), value, Some(elsewhere));
        }
    }
}

/// Annotations that a patch fills with what stands elsewhere in an object of which nobody knows what stands there.
fn carried_annotations(attributes: &Attributes, body: &Value, states: &States, out: &mut Vec<Finding>) {
    if attributes.verb != Verb::Patch || matches!(states.before, Before::Seen(_)) {
        return;
    }
    for operation in body.as_array().unwrap_or_default() {
        let text = |key: &str| operation.get(key).and_then(Value::as_str);
        let (Some("copy" | "move"), Some(path)) = (text("op"), text("path").and_then(tokens)) else {
            continue;
        };
        let ["metadata", "annotations", key] = *path.iter().map(String::as_str).collect::<Vec<_>>() else {
            continue;
        };
        let (prefix, name) = key.split_once('/').unwrap_or(("", key));
        if configures_proxy(prefix, name) {
            out.push(Finding {
                concern: Concern::IngressSnippet,
                path: pointer_of(&path),
                value: None,
                assumed: states.before.is_open(),
            });
        }
    }
}

/// Whether an annotation configures the proxy or switches authentication.
fn configures_proxy(prefix: &str, name: &str) -> bool {
    is_snippet(prefix, name) || AUTHENTICATION.iter().any(|start| name.starts_with(start))
}

fn is_snippet(prefix: &str, name: &str) -> bool {
    let haproxy = prefix.contains("haproxy") || prefix == "ingress.kubernetes.io";
    name.contains("snippet") || haproxy && name.starts_with("config-")
}

/// `namespace-name@kubernetescrd`; which part is the namespace can't be told for sure, so only its own is no other.
fn is_traefik_elsewhere(object: &str, own: &str) -> bool {
    object.split_once('@').is_some_and(|(name, provider)| {
        provider.starts_with("kubernetes") && !name.strip_prefix(own).is_some_and(|rest| rest.starts_with('-'))
    })
}

fn search(place: &Place<'_>, value: &Value, own: &str, depth: usize, seen: &mut Sightings) {
    if depth > MAX_DEPTH {
        seen.too_deep(Concern::CrossNamespace, place);
        return;
    }
    match value {
        Value::Array(_) => {
            for (token, element) in elements(Some(value)) {
                search(&place.element(token, element), element, own, depth + 1, seen);
            }
        }
        Value::Object(object) => {
            for (key, member) in object.iter().filter(|(_, member)| **member != Value::Null) {
                let place = place.key(key);
                let namespace = member.as_str().filter(|text| !text.is_empty() && *text != own);
                if key == "namespace" && namespace.is_some() {
                    seen.anew(Concern::CrossNamespace, &place, value, namespace);
                } else if key.to_ascii_lowercase().contains("snippet") {
                    seen.anew(Concern::IngressSnippet, &place, member, None);
                } else {
                    search(&place, member, own, depth + 1, seen);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Was, found};
    use super::*;

    fn findings_of(group: &str, resource: &str, was: &Was, after: &str) -> Vec<String> {
        let mut attributes = Attributes::for_test(Verb::Create, group, resource);
        attributes.namespace = "team-a".to_owned().into();
        found(was, after, |states, out| {
            findings(&attributes, &Value::Null, states, out)
        })
    }

    fn of_annotation(key: &str, value: &str) -> String {
        let ingress = format!(r#"{{"metadata":{{"annotations":{{"{key}":"{value}"}}}},"spec":{{}}}}"#);
        let found = findings_of("networking.k8s.io", "ingresses", &Was::Nothing, &ingress);
        let words = found
            .iter()
            .map(|finding| finding.split(' ').next().unwrap_or_default().to_owned());
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn annotations_of_an_ingress() {
        for (key, value, expected) in [
            (
                "nginx.ingress.kubernetes.io/configuration-snippet",
                "x",
                "ingress-snippet",
            ),
            ("nginx.ingress.kubernetes.io/server-snippet", "x", "ingress-snippet"),
            (
                "nginx.ingress.kubernetes.io/modsecurity-snippet",
                "x",
                "ingress-snippet",
            ),
            ("internal.example.com/stream-snippet", "x", "ingress-snippet"),
            ("nginx.org/location-snippets", "x", "ingress-snippet"),
            ("haproxy.org/backend-config-snippet", "x", "ingress-snippet"),
            ("haproxy-ingress.github.io/config-backend", "x", "ingress-snippet"),
            ("nginx.ingress.kubernetes.io/auth-url", "http://x", "ingress-snippet"),
            (
                "nginx.ingress.kubernetes.io/auth-tls-secret",
                "team-a/x",
                "ingress-snippet",
            ),
            (
                "nginx.ingress.kubernetes.io/auth-secret",
                "other/x",
                "ingress-snippet cross-namespace-reference",
            ),
            (
                "nginx.ingress.kubernetes.io/auth-proxy-set-headers",
                "other/x",
                "ingress-snippet cross-namespace-reference",
            ),
            (
                "nginx.ingress.kubernetes.io/enable-global-auth",
                "false",
                "ingress-snippet",
            ),
            ("nginx.org/basic-auth-secret", "x", "ingress-snippet"),
            ("nginx.com/jwt-key", "x", "ingress-snippet"),
            (
                "nginx.ingress.kubernetes.io/custom-headers",
                "other/x",
                "cross-namespace-reference",
            ),
            ("nginx.ingress.kubernetes.io/custom-headers", "team-a/x", ""),
            (
                "nginx.ingress.kubernetes.io/proxy-ssl-secret",
                "other/x",
                "cross-namespace-reference",
            ),
            ("nginx.ingress.kubernetes.io/proxy-ssl-secret", "team-a/x", ""),
            (
                "traefik.ingress.kubernetes.io/router.middlewares",
                "team-a-strip@kubernetescrd,other-auth@kubernetescrd",
                "cross-namespace-reference",
            ),
            (
                "traefik.ingress.kubernetes.io/router.middlewares",
                "team-a-strip@kubernetescrd",
                "",
            ),
            ("nginx.ingress.kubernetes.io/rewrite-target", "/x/y", ""),
            ("nginx.ingress.kubernetes.io/proxy-body-size", "8m", ""),
            ("cert-manager.io/cluster-issuer", "letsencrypt", ""),
        ] {
            assert_eq!(of_annotation(key, value), expected, "{key}: {value}");
        }
    }

    #[test]
    fn annotations_that_a_patch_carries_over() {
        let carried = |was: &Was, op: &str, key: &str| {
            let attributes = Attributes::for_test(Verb::Patch, "networking.k8s.io", "ingresses");
            let patch =
                format!(r#"[{{"op":"{op}","from":"/metadata/labels/x","path":"/metadata/annotations/{key}"}}]"#);
            let patch = Value::parse(patch.as_bytes()).unwrap();
            found(was, "{}", |states, out| findings(&attributes, &patch, states, out)).join("; ")
        };
        for op in ["copy", "move"] {
            for key in [
                "nginx.ingress.kubernetes.io~1server-snippet",
                "nginx.ingress.kubernetes.io~1auth-url",
                "haproxy.org~1config-backend",
            ] {
                let expected = format!("ingress-snippet /metadata/annotations/{key}");
                assert_eq!(carried(&Was::Unknown, op, key), expected);
                assert_eq!(carried(&Was::NotRead, op, key), format!("{expected} (assumed)"));
                // What it becomes is known then, and found there.
                assert_eq!(carried(&Was::Seen("{}"), op, key), "");
            }
            assert_eq!(
                carried(&Was::Unknown, op, "nginx.ingress.kubernetes.io~1rewrite-target"),
                ""
            );
        }
        assert_eq!(carried(&Was::Unknown, "test", "a~1server-snippet"), "");
    }

    #[test]
    fn references_of_routes() {
        let route = r#"{"spec":{"parentRefs":[{"name":"gw","namespace":"infra"}],"rules":[{
            "backendRefs":[{"name":"a","port":80},{"name":"b","namespace":"team-a"},{"name":"c","namespace":"other"}],
            "filters":[{"requestMirror":{"backendRef":{"name":"d","namespace":"other"}}}]}]}}"#;
        assert_eq!(
            findings_of("gateway.networking.k8s.io", "httproutes", &Was::Nothing, route),
            [
                "cross-namespace-reference /spec/parentRefs/0/namespace infra",
                "cross-namespace-reference /spec/rules/0/backendRefs/2/namespace other",
                "cross-namespace-reference /spec/rules/0/filters/0/requestMirror/backendRef/namespace other",
            ]
        );
        assert_eq!(
            findings_of(
                "k8s.nginx.org",
                "virtualservers",
                &Was::Nothing,
                r#"{"spec":{"server-snippets":"x"}}"#
            ),
            ["ingress-snippet /spec/server-snippets"]
        );
        assert!(findings_of("example.com", "widgets", &Was::Nothing, route).is_empty());
    }

    #[test]
    fn only_what_is_new_is_found() {
        let before = r#"{"spec":{"parentRefs":[{"name":"gw","namespace":"infra"}]}}"#;
        let after = r#"{"spec":{"parentRefs":[{"name":"x","namespace":"other"},{"namespace":"infra","name":"gw"}]}}"#;
        let found = |was| findings_of("gateway.networking.k8s.io", "httproutes", &was, after);
        assert_eq!(
            found(Was::Seen(before)),
            ["cross-namespace-reference /spec/parentRefs/0/namespace other"]
        );
        assert!(found(Was::Seen(after)).is_empty());
        assert_eq!(found(Was::Unknown).len(), 2);
    }

    #[test]
    fn hostile_shapes_are_taken() {
        for object in [
            r#"{"metadata":[],"spec":7}"#,
            r#"{"metadata":{"annotations":"x"},"spec":[[{"namespace":{"namespace":["x"]}}]]}"#,
            r#"{"metadata":{"annotations":{"/":1,"":null,"nginx.ingress.kubernetes.io/":true}}}"#,
            "[]",
        ] {
            findings_of("networking.k8s.io", "ingresses", &Was::Nothing, object);
            findings_of("gateway.networking.k8s.io", "gateways", &Was::Seen(object), object);
        }
    }
}
