//! Bodies: one boxed type on the way in and out, so that no layer is generic over somebody's body.

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of requests and responses inside the guard.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A body that is there whole.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A boxed body.
pub(crate) fn boxed<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    body.map_err(Into::into).boxed_unsync()
}

/// Why a body could not be collected.
pub(crate) enum CollectError {
    /// It is larger than the limit.
    TooLarge,
    /// It broke off.
    Broken,
}

/// Reads a body whole, at most `limit` bytes of it.
///
/// By hand, since the future of `http_body_util::Limited` over a boxed error is not `Send` in the compiler's eyes.
pub(crate) async fn collect(mut body: Body, limit: usize) -> Result<Bytes, CollectError> {
    if body.size_hint().lower() > limit as u64 {
        return Err(CollectError::TooLarge);
    }
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(CollectError::Broken);
        };
        let Some(data) = frame.data_ref() else { continue };
        if data.len() > limit - collected.len() {
            return Err(CollectError::TooLarge);
        }
        collected.extend_from_slice(data);
    }
    Ok(collected.freeze())
}
