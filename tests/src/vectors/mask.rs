//! `vectors mask-json` and `vectors mask-text`: an answer of the server, as it is handed out.

use std::sync::LazyLock;

use countersign_core::mask::{Masker, Plan, Report};
use countersign_core::request::{Catalog, ResourceCatalog, Target};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{GUARD_NAMESPACE, catalog};

/// The resources that the cases are about, made once: a run may hold thousands of cases.
static CATALOG: LazyLock<Catalog> = LazyLock::new(catalog);

/// An answer in JSON.
#[derive(Debug, Deserialize)]
pub struct JsonCase {
    /// Names the case in the answer.
    pub id: Value,
    /// HTTP method of the request.
    pub method: String,
    /// Target of the request.
    pub url: String,
    /// Status code of the answer.
    #[serde(default = "ok")]
    pub status: u16,
    /// `Content-Type` of the answer.
    #[serde(default = "application_json")]
    pub content_type: String,
    /// Body of the answer.
    pub body: String,
    /// Bytes per chunk that is fed; absent: all at once.
    #[serde(default)]
    pub chunk: Option<usize>,
}

/// What is handed out of an answer in JSON.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum JsonAnswer {
    /// All of it, masked.
    Masked {
        /// Names the case.
        id: Value,
        /// Body.
        body: String,
        /// Number of values that were replaced.
        masked: u64,
    },
    /// Not all of it, if anything.
    Refused {
        /// Names the case.
        id: Value,
        /// Why.
        refused: String,
    },
}

/// A text, such as lines of a log.
#[derive(Debug, Deserialize)]
pub struct TextCase {
    /// Names the case in the answer.
    pub id: Value,
    /// The text.
    pub text: String,
    /// Bytes per chunk that is fed; absent: all at once.
    #[serde(default)]
    pub chunk: Option<usize>,
}

/// A text after masking.
#[derive(Debug, Serialize)]
pub struct TextAnswer {
    /// Names the case.
    pub id: Value,
    /// The text after masking.
    pub masked: String,
}

fn ok() -> u16 {
    200
}

fn application_json() -> String {
    "application/json".to_owned()
}

/// Masks one answer in JSON.
#[must_use]
pub fn mask_json(case: &JsonCase) -> JsonAnswer {
    let id = case.id.clone();
    let answer = plan(&case.method, &case.url)
        .and_then(|plan| hand_out(&plan, case.status, &case.content_type, &case.body, case.chunk));
    match answer {
        Ok((body, report)) => JsonAnswer::Masked {
            id,
            body,
            masked: report.masked(),
        },
        Err(refused) => JsonAnswer::Refused { id, refused },
    }
}

/// Masks one text as the log of a pod.
#[must_use]
pub fn mask_text(case: &TextCase) -> TextAnswer {
    let masked = plan("GET", "/api/v1/namespaces/team-a/pods/web-0/log")
        .and_then(|plan| hand_out(&plan, 200, "text/plain", &case.text, case.chunk));
    TextAnswer {
        id: case.id.clone(),
        masked: masked.map_or_else(|refused| format!("refused: {refused}"), |(text, _)| text),
    }
}

fn plan(method: &str, url: &str) -> Result<Plan, String> {
    let target = Target::parse(method, url.as_bytes()).map_err(|refusal| refusal.message().to_owned())?;
    let attributes = target.attributes();
    let kind = CATALOG.lookup(&attributes.api_group, &attributes.resource);
    Ok(Plan::new(attributes, kind.as_deref(), &[]).hiding_namespace(GUARD_NAMESPACE))
}

fn hand_out(
    plan: &Plan,
    status: u16,
    content_type: &str,
    body: &str,
    chunk: Option<usize>,
) -> Result<(String, Report), String> {
    let status = StatusCode::from_u16(status).map_err(|error| error.to_string())?;
    let mut headers = HeaderMap::new();
    if !content_type.is_empty() {
        let value = HeaderValue::from_str(content_type).map_err(|error| error.to_string())?;
        headers.insert(CONTENT_TYPE, value);
    }
    let mut masker = Masker::new(plan, status, &headers).map_err(|refusal| refusal.message().to_owned())?;
    let mut out = Vec::new();
    for chunk in body
        .as_bytes()
        .chunks(chunk.filter(|size| *size > 0).unwrap_or(usize::MAX))
    {
        masker.push(chunk, &mut out).map_err(|error| error.to_string())?;
    }
    let report = masker.finish(&mut out).map_err(|error| error.to_string())?;
    String::from_utf8(out)
        .map(|body| (body, report))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn answers_have_the_form_of_the_cases() {
        let case = json!({"id": 7, "method": "GET", "url": "/api/v1/namespaces/team-a/secrets/db", "status": 200,
            "content_type": "application/json", "body": r#"{"kind":"Secret","data":{"a":"Yg=="}}"#, "chunk": 3});
        assert_eq!(
            to_value(mask_json(&from_value(case.clone()).unwrap())).unwrap(),
            json!({"id": 7, "body": r#"{"kind":"Secret","data":{"a":"Y291bnRlcnNpZ24ubWFza2VkLnZhbHVl"}}"#, "masked": 1})
        );
        let mut refused = case.clone();
        refused["body"] = r#"{"kind":"Secret","data":{"a":1,"a":2}}"#.into();
        let refused = to_value(mask_json(&from_value(refused).unwrap())).unwrap();
        assert!(refused["refused"].is_string() && refused.get("body").is_none());

        let mut hidden = case;
        hidden["url"] = "/api/v1/pods".into();
        hidden["body"] = r#"{"kind":"PodList","items":[{"metadata":{"namespace":"agent-guard"}}]}"#.into();
        let hidden = to_value(mask_json(&from_value(hidden).unwrap())).unwrap();
        assert_eq!(hidden["body"], r#"{"kind":"PodList","items":[]}"#);

        let text = json!({"id": "t", "text": "one\ntwo", "chunk": 2});
        assert_eq!(
            to_value(mask_text(&from_value(text).unwrap())).unwrap(),
            json!({"id": "t", "masked": "one\ntwo"})
        );
    }
}
