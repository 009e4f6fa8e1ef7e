//! The object after a change: bodies of all four patch types applied as kube-apiserver applies them.
//!
//! 1. Merge patch (RFC 7386), JSON Patch (RFC 6902), strategic merge patch and server-side apply, the latter two by a table
//!    of how lists and maps of the built-in kinds merge, which is generated from the API server's own description.
//! 2. Where the object is not known, a patch is applied to an empty one: what comes out is what it writes.
//! 3. What would cost more than anything that is meant to be understood is [`TooLarge`]: nothing is known of it then.
//! 4. Where the server would refuse, the outcome does not matter; where it is lenient, so is this.

mod budget;
mod fields;
mod index;
mod json_patch;
mod members;
mod merge;
mod merge_schema_table;
mod pruning;
mod schema;
mod server_side;
mod strategic;

use crate::json::Value;

pub(super) use budget::TooLarge;
pub(super) use index::Index;
pub(in crate::request) use json_patch::{Failed, Op, Operation, operations};
pub(super) use schema::Node;
pub(super) use strategic::{DELETE_FROM, DIRECTIVE, ELEMENT_ORDER, RETAIN_KEYS};

use super::write::{Applied, Write};
use budget::Budget;
use pruning::Ownership;

/// What a change writes, as far as its body tells.
pub(super) fn to_unknown(write: &Write<'_>, node: Node) -> Result<Value, TooLarge> {
    Ok(match write {
        Write::Create(body) | Write::Replace(body) => (*body).clone(),
        Write::JsonPatch(operations) => json_patch::apply_to_unknown(operations, &mut Budget::new())?,
        Write::Merge(patch) => merge::merge(None, patch),
        Write::Strategic(patch) => strategic::merge_root(None, patch, node),
        Write::Apply(applied) => applied.body.clone(),
    })
}

/// What each operation of a JSON Patch writes by itself; nothing for other changes.
pub(super) fn each_to_unknown(write: &Write<'_>) -> Result<Vec<Value>, TooLarge> {
    let Write::JsonPatch(operations) = write else {
        return Ok(Vec::new());
    };
    let writes = operations
        .iter()
        .filter(|operation| matches!(operation.op, Op::Add | Op::Replace));
    let mut budget = Budget::new();
    writes
        .map(|operation| json_patch::apply_to_unknown(&[operation.at_any_place()], &mut budget))
        .collect()
}

/// The object after a change. `object` is the live object, which may be masked; `managed` the same unmasked, with its
/// managed fields.
pub(super) fn to_object(write: &Write<'_>, object: Value, managed: &Value, node: Node) -> Result<Value, Failed> {
    Ok(match write {
        Write::Create(body) | Write::Replace(body) => (*body).clone(),
        Write::JsonPatch(operations) => json_patch::apply(object, operations, &mut Budget::new())?,
        Write::Merge(patch) => merge::merge(Some(object), patch),
        Write::Strategic(patch) => strategic::merge_root(Some(object), patch, node),
        Write::Apply(applied) => {
            let ownership = ownership(applied, managed);
            let mut after = server_side::merge_root(Some(object), applied.body, node, &ownership.all());
            ownership.prune(&mut after, applied.body, node);
            after
        }
    })
}

/// Whether what an apply takes away can't be told, since its manager applied in another version of the kind before.
pub(super) fn prunes_unknown(write: &Write<'_>, managed: &Value) -> bool {
    matches!(write, Write::Apply(applied) if ownership(applied, managed).in_other_version)
}

fn ownership<'v>(applied: &Applied<'_>, managed: &'v Value) -> Ownership<'v> {
    Ownership::of(managed, applied.manager, applied.subresource, &applied.api_version)
}
