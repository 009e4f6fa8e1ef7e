//! Answers of the guard's own.

use countersign_core::Refusal;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};

use crate::body::{Body, full};

/// The response for a refusal: a `metav1.Status`, with the [`Refusal`] in its extensions for layers above.
///
/// There is never a `Retry-After` header: client-go repeats such requests by itself.
pub fn refusal_response(refusal: Refusal) -> Response<Body> {
    let mut response = Response::new(full(refusal.to_status().to_string()));
    *response.status_mut() = refusal.status();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response.extensions_mut().insert(refusal);
    response
}
