//! What has to hold for every whole request, accepted or refused. The fuzz targets check the same.

use countersign_core::Refusal;
use countersign_core::request::{Canonical, Gate, Upgrade};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::upstream;

/// Takes a request through the gate: `None` if it is refused.
///
/// What is accepted means the same to upstream, before and after; the body says the same to another parser; and taken
/// through the gate once more, nothing changes.
pub(crate) fn pass(
    gate: &Gate,
    method: &str,
    target: &[u8],
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Option<Canonical>, String> {
    let once = match through(gate, method, target, headers, body) {
        Ok(request) => request,
        Err(refusal) if refusal.status().is_client_error() && !refusal.message().is_empty() => return Ok(None),
        Err(refusal) => return Err(format!("a refusal with {}: {:?}", refusal.status(), refusal.message())),
    };
    same_to_upstream(&once, method, target)?;
    if !body.is_empty() {
        let read = |text: &[u8]| serde_json::from_slice::<Value>(text).ok();
        same("the body to another parser", &read(once.body()), &read(body))?;
    }
    let headers = headers_of(&once)?;
    let twice = through(
        gate,
        once.method().as_str(),
        once.target().as_bytes(),
        &headers,
        once.body(),
    );
    let twice = twice.map_err(|refusal| format!("refused the second time: {}: {once:?}", refusal.message()))?;
    same("dropped headers", twice.dropped_headers(), &[])?;
    same("what is sent", &sent(&twice), &sent(&once))?;
    same("what it means", &meant(&twice), &meant(&once))?;
    Ok(Some(once))
}

fn through(gate: &Gate, method: &str, target: &[u8], headers: &HeaderMap, body: &[u8]) -> Result<Canonical, Refusal> {
    let target = gate.target(method, target)?;
    gate.head(target, headers)?.with_body(body)
}

/// The attributes are those that the model of upstream derives, from what came and from what is sent.
fn same_to_upstream(request: &Canonical, method: &str, target: &[u8]) -> Result<(), String> {
    let ours = serde_json::to_value(request.attributes()).map_err(|error| error.to_string())?;
    let came = std::str::from_utf8(target).map_err(|_| "a target that is no text is accepted".to_owned())?;
    let theirs = |method: &str, target: &str| match upstream::request_info(method, target) {
        Ok((info, false)) => Ok(info.to_json()),
        Ok((_, true)) | Err(_) => Err(format!("accepted, but upstream fails: {method} {target}")),
    };
    same("what came to upstream", &theirs(method, came)?, &ours)?;
    let sent = theirs(request.method().as_str(), request.target())?;
    same("what is sent to upstream", &without_path(sent), &without_path(ours))
}

/// The decoded path alone may lose its trailing slash.
fn without_path(mut attributes: Value) -> Value {
    attributes.as_object_mut().map(|attributes| attributes.remove("path"));
    attributes
}

/// The headers that a canonical request is sent with, and the caller's user agent.
fn headers_of(request: &Canonical) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let mut insert = |name: HeaderName, value: &str| {
        let sent = HeaderValue::from_str(value).map_err(|_| format!("a header that can't be sent: {value:?}"))?;
        headers.insert(name, sent);
        Ok::<_, String>(())
    };
    insert(header::ACCEPT, request.accept())?;
    if let Some(content_type) = request.content_type() {
        insert(header::CONTENT_TYPE, content_type)?;
    }
    if let Some(user_agent) = request.user_agent() {
        insert(header::USER_AGENT, user_agent)?;
    }
    if let Some(Upgrade { protocols, key }) = request.upgrade() {
        insert(header::CONNECTION, "Upgrade")?;
        insert(header::UPGRADE, "websocket")?;
        insert(header::SEC_WEBSOCKET_VERSION, "13")?;
        insert(header::SEC_WEBSOCKET_KEY, key)?;
        insert(header::SEC_WEBSOCKET_PROTOCOL, &protocols.join(", "))?;
    }
    Ok(headers)
}

/// All that goes over the wire.
fn sent(request: &Canonical) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        request.method().clone(),
        request.target().to_owned(),
        request.accept(),
        request.content_type(),
        request.body().clone(),
        request.upgrade().cloned(),
    )
}

/// All that a decision is made of.
fn meant(request: &Canonical) -> impl PartialEq + std::fmt::Debug + use<> {
    let pairs: Vec<_> = request
        .query()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let command: Vec<_> = request.exec_command().into_iter().map(str::to_owned).collect();
    (
        serde_json::to_value(request.attributes()).ok().map(without_path),
        request.effects(),
        request.kind().cloned(),
        (pairs, command),
        (request.json().cloned(), request.is_dry_run()),
        request.object_name().map(str::to_owned),
        request.generated_name_prefix().map(str::to_owned),
        request.user_agent().map(str::to_owned),
    )
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what} differs: {found:?} is not {expected:?}"))
}
