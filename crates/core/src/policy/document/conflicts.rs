//! Two rewrites of one path: which of them would win would hang on the order of rules, and that has no meaning.

use super::error::{Problems, Site};
use super::{Loaded, rewrite};
use crate::policy::overlap::{changes_overlap, subjects_overlap};
use crate::policy::set::{Action, CompiledRule, Document};
use crate::request::{RewriteOp, RewriteOperation};

/// More rewrites than this are not compared with each other, but refused.
const MAX_REWRITES: usize = 512;

/// One operation of one rule.
struct Rewriting<'d> {
    document: &'d Document,
    rule: &'d CompiledRule,
    operation: &'d RewriteOperation,
    site: Site,
}

/// Notes every pair of operations of different rules that could change the same path of the same request.
pub(super) fn check(loaded: &[Loaded], problems: &mut Problems<'_>) {
    let all: Vec<Rewriting<'_>> = loaded.iter().flat_map(rewritings).collect();
    if let Some(beyond) = all.get(MAX_REWRITES) {
        let message = format!("these policies have more than {MAX_REWRITES} rewrites");
        return problems.add_at(beyond.site, message, None);
    }
    for (index, later) in all.iter().enumerate() {
        let conflict = all.iter().take(index).find(|earlier| earlier.conflicts_with(later));
        if let Some(earlier) = conflict {
            let message = format!(
                "`{}` is rewritten by {} too, at {}: both rules could be about one request",
                later.operation.pointer(),
                earlier.rule.name,
                problems.place(earlier.site),
            );
            problems.add_at(later.site, message, None);
        }
    }
}

fn rewritings(loaded: &Loaded) -> impl Iterator<Item = Rewriting<'_>> {
    let Loaded { file, node, document } = loaded;
    let nodes = node.get("spec").and_then(|spec| spec.get("rules"));
    let nodes = nodes.into_iter().flat_map(|rules| rules.elements());
    // Rules of a profile come after the document's own, and rewrite nothing.
    document.rules.iter().zip(nodes).flat_map(move |(rule, node)| {
        let operations = match &rule.action {
            // In shadow nothing is changed.
            Action::Rewrite(operations) if !rule.shadow && !document.shadow => &**operations,
            _ => &[],
        };
        let nodes = node.get("rewrite").into_iter().flat_map(|rewrites| rewrites.elements());
        operations.iter().zip(nodes).map(move |(operation, node)| Rewriting {
            document,
            rule,
            operation,
            site: Site {
                file: *file,
                span: rewrite::place(node),
            },
        })
    })
}

impl Rewriting<'_> {
    fn conflicts_with(&self, other: &Self) -> bool {
        let (here, there) = (reach(self.operation), reach(other.operation));
        !std::ptr::eq(self.rule, other.rule)
            && here.iter().zip(there).all(|(a, b)| a == b)
            && changes_overlap(&self.rule.matches, &other.rule.matches)
            && (std::ptr::eq(self.document, other.document) || subjects_overlap(self.document, other.document))
    }
}

/// The path below which the operation changes what other paths mean: what is inserted into or removed from a list moves
/// what comes after it.
fn reach(operation: &RewriteOperation) -> &[String] {
    let path = operation.path();
    match path.split_last() {
        Some((last, list)) if operation.op() != RewriteOp::Replace && is_index(last) => list,
        _ => path,
    }
}

fn is_index(token: &str) -> bool {
    token == "-" || (!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()))
}
