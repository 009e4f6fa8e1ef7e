//! `limits` and `insecure_permit`: what the rules of a document permit, they permit inside of these.

use super::error::Problems;
use super::fields::{Fields, each, each_of_any, text, whole};
use super::rule::given;
use super::values;
use super::yaml::{Node, Span};
use crate::policy::limits::Limits;
use crate::request::{Concern, Weight};

/// Fields of `limits`.
const FIELDS: [&str; 5] = [
    "images",
    "replicas",
    "applyManagers",
    "secretAnnotations",
    "capabilities",
];

/// Capabilities of Linux (6.12), and `ALL`: nothing else can be added to a container.
pub(in crate::policy) const CAPABILITIES: [&str; 42] = [
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// Reads both fields; either may be left out.
pub(super) fn read(limits: Option<&Node>, permit: Option<&Node>, problems: &mut Problems<'_>) -> Option<Limits> {
    let limits = limits.map(|node| read_limits(node, problems));
    let permit = permit.map(|node| each(node, "`insecure_permit`", problems, concern));
    Some(Limits {
        insecure_permit: given(permit)?.unwrap_or_default(),
        ..given(limits)?.unwrap_or_default()
    })
}

fn read_limits(node: &Node, problems: &mut Problems<'_>) -> Option<Limits> {
    let fields = Fields::read(node, "`limits`", &FIELDS, &[], problems)?;
    let mut globs = |name: &str, what: &'static str, read: fn(&Node, &str, &mut Problems<'_>) -> Option<_>| {
        fields.get(name).map(|node| {
            each_of_any(node, &format!("`{name}`"), problems, |node, problems| {
                read(node, what, problems)
            })
        })
    };
    let images = globs("images", "an image", values::pattern);
    let apply_managers = globs("applyManagers", "a field manager", values::pattern);
    let secret_annotations = globs("secretAnnotations", "an annotation", |node, _, problems| {
        values::annotation(node, problems)
    });
    let replicas = fields.get("replicas").map(|node| replicas(node, problems));
    let capabilities = fields
        .get("capabilities")
        .map(|node| each_of_any(node, "`capabilities`", problems, capability));
    let (min_replicas, max_replicas) = given(replicas)?.unwrap_or_default();
    Some(Limits {
        images: given(images)?.unwrap_or_default(),
        min_replicas,
        max_replicas,
        apply_managers: given(apply_managers)?.unwrap_or_default(),
        secret_annotations: given(secret_annotations)?.unwrap_or_default(),
        capabilities: given(capabilities)?.unwrap_or_default(),
        insecure_permit: Vec::new(),
    })
}

/// Bounds of replicas.
type Bounds = (Option<u64>, Option<u64>);

fn replicas(node: &Node, problems: &mut Problems<'_>) -> Option<Bounds> {
    let fields = Fields::read(node, "`replicas`", &["min", "max"], &[], problems)?;
    let mut bound = |name: &str| {
        fields
            .get(name)
            .map(|node| whole(node, &format!("`{name}`"), 0, problems))
    };
    let (min, max) = (bound("min"), bound("max"));
    let bounds = (given(min)?, given(max)?);
    match bounds {
        (None, None) => {
            problems.add(Span { width: 1, ..node.span }, "`replicas` has `min`, `max` or both");
            None
        }
        // Without a minimum it is 1.
        (min, Some(max)) if min.unwrap_or(1) > max => {
            let place = fields.get("max").map_or(node.span, |node| node.span);
            let min = min.map_or_else(|| "1, which holds where none is said".to_owned(), |min| min.to_string());
            problems.add(place, format!("`max` is {max}, below `min`: {min}"));
            None
        }
        _ => Some(bounds),
    }
}

fn capability(node: &Node, problems: &mut Problems<'_>) -> Option<String> {
    let text = text(node, "a capability", problems)?;
    if CAPABILITIES.contains(&text) {
        return Some(text.to_owned());
    }
    // Kubernetes writes them without their prefix.
    let upper = text.to_ascii_uppercase();
    let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
    let suggestion = problems.nearest(bare, CAPABILITIES);
    problems.add_with(node.span, format!("unknown capability `{text}`"), suggestion);
    None
}

/// An entry of the hard deny list, by its name.
fn concern(node: &Node, problems: &mut Problems<'_>) -> Option<Concern> {
    let text = text(node, "a concern", problems)?;
    let forbidden = || Concern::all().filter(|concern| concern.weight() == Weight::Forbidden);
    let message = match Concern::named(text).map(|concern| (concern, concern.weight())) {
        Some((concern, Weight::Forbidden)) => return Some(concern),
        Some((_, Weight::Destructive)) => {
            format!("`{text}` is not forbidden, but destructive: a rule permits it that lists this effect")
        }
        Some((_, Weight::Approval)) => {
            format!("`{text}` is not forbidden, but needs a human: `spec.approval` says whom")
        }
        None => {
            let suggestion = problems.nearest(text, forbidden().map(Concern::as_str));
            problems.add_with(node.span, format!("unknown concern `{text}`"), suggestion);
            return None;
        }
    };
    problems.add(node.span, message);
    None
}
