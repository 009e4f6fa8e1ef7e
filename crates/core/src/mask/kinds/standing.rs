//! What of an object a pointer leads to, for those who must not learn by it what is masked.
//!
//! 1. The whole object, what the table masks or scans by name, and of custom resources everything but the metadata may be
//!    masked for where it is.
//! 2. What the table keeps, and what identifies an object, never is.
//! 3. Everything else is masked only if it looks like a secret or is called like one.

use super::{Node, Step, Treatment, built_in_node};
use crate::mask::walk;
use crate::request::{Kind, Origin, is_index};

/// What may become of the values at, above or below a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing there is ever masked.
    Plain,
    /// They are looked at, and masked by what they look like or by what they are called.
    Scanned,
    /// Some are masked for where they are.
    Masked,
}

/// What may become of the values at, above or below a pointer into an object.
pub(crate) fn standing(kind: &Kind, pointer: &[String]) -> Standing {
    let node = built_in_node(&kind.kind);
    let by_table = || node.map_or(Standing::Scanned, |node| of_node(node, pointer));
    let mut tokens = pointer.iter().map(String::as_str);
    match (tokens.next(), tokens.next(), tokens.next()) {
        (None, ..) | (Some("metadata"), None | Some("managedFields"), _) => Standing::Masked,
        (Some("apiVersion" | "kind"), ..) => Standing::Plain,
        (Some("metadata"), Some("annotations"), key) => match key {
            Some(key) if !walk::is_annotation_masked(key) => match by_table() {
                Standing::Masked => Standing::Masked,
                Standing::Plain | Standing::Scanned => Standing::Scanned,
            },
            _ => Standing::Masked,
        },
        // All of them at once keep their names wherever they go.
        (Some("metadata"), Some("labels"), Some(key)) if walk::is_secret_name(key) => Standing::Scanned,
        (Some("metadata"), ..) => Standing::Plain,
        _ if kind.origin != Origin::BuiltIn => Standing::Masked,
        _ => by_table(),
    }
}

fn of_node(mut node: &Node, pointer: &[String]) -> Standing {
    let mut parent = "";
    for token in pointer {
        let is_element = is_index(parent, token) && !node.has(token);
        match node.step(token) {
            // Lists are looked through.
            _ if is_element => {}
            Step::To(child) => node = child,
            Step::Same => {}
            Step::Off | Step::Nothing => return Standing::Scanned,
        }
        parent = token;
    }
    match (node.treatment, node.strongest) {
        (_, Some(strongest)) if strongest >= Treatment::Scan => Standing::Masked,
        (Some(Treatment::Keep), Some(Treatment::Keep)) => Standing::Plain,
        _ => Standing::Scanned,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Catalog, ResourceCatalog as _};

    fn standing_of(group: &str, resource: &str, pointer: &str) -> Standing {
        let catalog = Catalog::kubernetes().with_custom("example.com", "widgets", "Widget", true);
        let kind = catalog.lookup(group, resource).unwrap();
        let tokens = pointer.split('/').skip(1).map(|token| token.replace("~1", "/"));
        standing(&kind, &tokens.collect::<Vec<_>>())
    }

    #[test]
    fn what_everybody_sees_is_plain() {
        for (group, resource, pointers) in [
            (
                "apps",
                "deployments",
                "/kind /apiVersion /metadata/name /metadata/uid /metadata/resourceVersion /metadata/generation \
                 /metadata/labels /metadata/labels/x /metadata/finalizers /metadata/finalizers/0 /metadata/ownerReferences/0/uid \
                 /spec/replicas /spec/paused /status/replicas /status/conditions/0/type \
                 /spec/template/spec/containers/0/name /spec/template/spec/serviceAccountName",
            ),
            (
                "",
                "pods",
                "/status/phase /status/containerStatuses/0/state/waiting/reason",
            ),
            ("", "services", "/spec/ports /spec/ports/0/port /spec/type"),
            ("", "events", "/count /reason"),
            ("example.com", "widgets", "/metadata/labels/x /metadata/uid"),
        ] {
            for pointer in pointers.split_whitespace() {
                assert_eq!(
                    standing_of(group, resource, pointer),
                    Standing::Plain,
                    "{resource} {pointer}"
                );
            }
        }
    }

    #[test]
    fn what_only_its_looks_give_away_is_scanned() {
        for (group, resource, pointers) in [
            (
                "apps",
                "deployments",
                "/metadata/labels/db-password /metadata/annotations/a /spec/selector /spec/strategy/type \
                 /spec/template/spec/containers/0/image /spec/template/spec/imagePullSecrets/0/name \
                 /spec/template/metadata/annotations/a /status/conditions/0/message",
            ),
            ("", "services", "/spec /spec/externalName /spec/selector/app"),
            (
                "networking.k8s.io",
                "ingresses",
                "/spec/rules/0/host /spec/tls/0/secretName",
            ),
            ("", "nodes", "/spec/taints /status/conditions/0"),
        ] {
            for pointer in pointers.split_whitespace() {
                assert_eq!(
                    standing_of(group, resource, pointer),
                    Standing::Scanned,
                    "{resource} {pointer}"
                );
            }
        }
    }

    #[test]
    fn what_is_masked_for_where_it_is() {
        for (group, resource, pointers) in [
            (
                "apps",
                "deployments",
                "/metadata /metadata/annotations /metadata/annotations/db-password /metadata/annotations/aws-secret-key \
                 /metadata/annotations/x.io~1server-snippet /metadata/managedFields/0 \
                 /metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration /spec /spec/template \
                 /spec/template/spec/containers/0 /spec/template/spec/containers/-/env/0/value",
            ),
            (
                "",
                "pods",
                "/status /status/message /status/conditions /status/conditions/0/message /status/containerStatuses/0 \
                 /status/containerStatuses/0/state/terminated/message /status/initContainerStatuses/1/lastState \
                 /status/containerStatuses/0/state/waiting/message",
            ),
            (
                "networking.k8s.io",
                "ingresses",
                "/metadata/annotations/nginx.ingress.kubernetes.io~1auth-secret /metadata/annotations/0 \
                 /metadata/annotations/a",
            ),
            ("", "services", "/metadata/annotations/a"),
            ("", "events", "/message /series /series/count /metadata/annotations/a"),
            ("events.k8s.io", "events", "/note /metadata/annotations/a"),
            ("", "persistentvolumes", "/spec/csi /spec/csi/volumeAttributes/0"),
            (
                "example.com",
                "widgets",
                "/spec /spec/size /status/0 /parameters /metadata/annotations/db-password",
            ),
        ] {
            for pointer in pointers.split_whitespace() {
                assert_eq!(
                    standing_of(group, resource, pointer),
                    Standing::Masked,
                    "{resource} {pointer}"
                );
            }
        }
        assert_eq!(standing_of("", "pods", ""), Standing::Masked);
    }
}
