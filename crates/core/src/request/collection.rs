//! The objects that a deletion of a collection would touch, to be counted.

use super::attributes::Verb;
use super::canonical::Canonical;
use super::percent;

/// Accepted where a collection is counted: names are enough.
pub const COLLECTION_ACCEPT: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// Path and query of a read of what a `deletecollection` would delete: the same collection under the same selectors, so
/// many objects at a time, from a token that the page before gave. None for any other request.
#[must_use]
pub fn collection_page(request: &Canonical, limit: u64, token: Option<&str>) -> Option<String> {
    if request.attributes().verb != Verb::DeleteCollection {
        return None;
    }
    let (path, _) = request.target().split_once('?').unwrap_or((request.target(), ""));
    let mut page = format!("{path}?limit={limit}");
    let selectors = request
        .query()
        .filter(|(key, _)| matches!(*key, "labelSelector" | "fieldSelector"));
    for (key, value) in selectors.chain(token.map(|token| ("continue", token))) {
        page.push('&');
        page.push_str(key);
        page.push('=');
        percent::push_value(&mut page, value);
    }
    Some(page)
}
