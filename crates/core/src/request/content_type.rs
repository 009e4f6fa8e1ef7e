//! The content types of request bodies: exact, since upstream neither trims nor folds case.

use http::{Method, StatusCode};

use super::quote::Quoted;
use crate::refusal::{Class, Refusal};

/// How a body is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContentType {
    Json,
    JsonPatch,
    MergePatch,
    StrategicMergePatch,
    /// Server-side apply; the bytes have to be JSON, which is YAML too.
    ApplyPatch,
}

const PATCHES: [ContentType; 4] = [
    ContentType::JsonPatch,
    ContentType::MergePatch,
    ContentType::StrategicMergePatch,
    ContentType::ApplyPatch,
];

impl ContentType {
    /// The type as it is sent.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonPatch => "application/json-patch+json",
            Self::MergePatch => "application/merge-patch+json",
            Self::StrategicMergePatch => "application/strategic-merge-patch+json",
            Self::ApplyPatch => "application/apply-patch+yaml",
        }
    }

    /// The type of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        PATCHES.into_iter().chain([Self::Json]).find(|one| one.as_str() == name)
    }

    /// The type of a body that is there.
    pub(super) fn of(method: &Method, declared: Option<&str>) -> Result<Self, Refusal> {
        let allowed: &[Self] = if *method == Method::PATCH {
            &PATCHES
        } else {
            &[Self::Json]
        };
        let refuse = |message: String| {
            let names: Vec<&str> = allowed.iter().map(|allowed| allowed.as_str()).collect();
            Err(unsupported(message).with_remedy(format!("send {}", names.join(" or "))))
        };
        let Some(declared) = declared else {
            return refuse("a body without Content-Type".to_owned());
        };
        let (media, parameters) = match declared.split_once(';') {
            Some((media, parameters)) => (media, Some(parameters)),
            None => (declared, None),
        };
        let found = allowed.iter().find(|allowed| allowed.as_str() == media);
        match found {
            Some(found) if parameters.is_none_or(is_utf8) => Ok(*found),
            _ => refuse(format!("Content-Type {} is not accepted here", Quoted(declared))),
        }
    }
}

/// Whether the parameters are `charset=utf-8` and nothing else.
fn is_utf8(parameters: &str) -> bool {
    parameters
        .trim_matches([' ', '\t'])
        .eq_ignore_ascii_case("charset=utf-8")
}

/// 415.
pub(super) fn unsupported(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Class::Unsupported, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_types() {
        let of = |method, text| ContentType::of(&method, Some(text)).map_err(|refusal| refusal.status());
        assert_eq!(of(Method::POST, "application/json"), Ok(ContentType::Json));
        assert_eq!(
            of(Method::PUT, "application/json; charset=UTF-8"),
            Ok(ContentType::Json)
        );
        assert_eq!(
            of(Method::PATCH, "application/apply-patch+yaml;charset=utf-8"),
            Ok(ContentType::ApplyPatch)
        );
        let wrong = Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        for text in [
            "",
            "application/yaml",
            "Application/json",
            " application/json",
            "application/json ",
            "application/json ;charset=utf-8",
            "application/json;",
            "application/json;charset=utf-16",
            "application/json;charset=utf-8;charset=utf-8",
            "application/json;charset=\"utf-8\"",
            "application/merge-patch+json",
            "application/vnd.kubernetes.protobuf",
        ] {
            assert_eq!(of(Method::POST, text), wrong, "{text:?}");
        }
        assert_eq!(of(Method::PATCH, "application/json"), wrong);
        assert_eq!(
            of(Method::PATCH, "Application/Merge-Patch+JSON ; charset=utf-16"),
            wrong
        );
        assert!(ContentType::of(&Method::POST, None).is_err());
    }
}
