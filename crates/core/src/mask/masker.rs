//! The masker of one answer: chunk in, chunks out, at the end finish or abort.

use std::fmt;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};

use super::engine::{Engine, MAX_ITEM, mask_bytes};
use super::error::{MaskError, MaskErrorKind};
use super::headers::{json_content_type, single};
use super::plan::Plan;
use super::report::{Report, Tally};
use super::walk;
use crate::detect::Text;
use crate::refusal::Refusal;

/// Masks the body of one answer.
///
/// After an error nothing more may be handed out, and the body must not end cleanly; what was handed out until then are
/// complete items. If that is nothing yet ([`has_emitted`](Self::has_emitted)), the answer can still be
/// [`MaskError::to_refusal`].
pub struct Masker {
    mode: Mode,
    content_type: Option<String>,
    emitted: bool,
    failed: Option<MaskError>,
}

enum Mode {
    /// JSON of a success, item by item.
    Json(Box<Engine>),
    /// Text, line by line.
    Text(Text),
    /// The JSON of an error, which is short.
    Failure(Box<Failure>),
    /// An error without JSON: replaced if it has a body at all.
    Foreign { code: StatusCode, has_body: bool },
    /// No body.
    Empty,
}

struct Failure {
    plan: Plan,
    code: StatusCode,
    held: Vec<u8>,
    is_too_large: bool,
    tally: Tally,
}

impl Masker {
    /// A masker for an answer with this head, which alone decides how the body is read.
    ///
    /// # Errors
    /// The 502 for an answer whose body can't be masked, or that is a redirect.
    pub fn new(plan: &Plan, status: StatusCode, headers: &HeaderMap) -> Result<Self, Refusal> {
        if status.is_informational() || status.is_redirection() {
            return Err(Refusal::upstream(format!(
                "the server answered {}, which is not followed",
                status.as_u16()
            )));
        }
        if headers.contains_key(CONTENT_ENCODING) {
            return Err(Refusal::upstream(
                "the server's answer is compressed, which was not asked for and can't be masked",
            ));
        }
        let is_error = status.is_client_error() || status.is_server_error();
        let content_type = single(headers, CONTENT_TYPE);
        let essence = content_type
            .unwrap_or(Some(""))
            .map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        let json = || json_content_type(content_type.ok().flatten().unwrap_or_default(), plan.is_discovery());
        let (mode, content_type) = match essence.as_deref() {
            _ if status == StatusCode::NO_CONTENT || status == StatusCode::RESET_CONTENT => (Mode::Empty, None),
            Some("application/json") if is_error => {
                let failure = Failure {
                    plan: plan.clone(),
                    code: status,
                    held: Vec::new(),
                    is_too_large: false,
                    tally: Tally::default(),
                };
                (Mode::Failure(Box::new(failure)), Some(json()))
            }
            Some("text/plain") if plan.is_untyped() && !is_error => (
                Mode::Json(Box::new(Engine::new(plan))),
                Some("application/json".to_owned()),
            ),
            Some("application/json") => (Mode::Json(Box::new(Engine::new(plan))), Some(json())),
            _ if is_error => {
                let foreign = Mode::Foreign {
                    code: status,
                    has_body: false,
                };
                (foreign, Some("application/json".to_owned()))
            }
            Some("text/plain") if plan.is_text() => (
                Mode::Text(Text::new(plan.detectors().clone())),
                Some("text/plain".to_owned()),
            ),
            None => (Mode::Empty, None),
            Some(_) => {
                return Err(Refusal::upstream(
                    "the server's answer is of a type that can't be masked; JSON was asked for",
                ));
            }
        };
        Ok(Self {
            mode,
            content_type,
            emitted: false,
            failed: None,
        })
    }

    /// The `Content-Type` of what is handed out; none without a body.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// Whether anything was handed out yet.
    #[must_use]
    pub fn has_emitted(&self) -> bool {
        self.emitted
    }

    /// Reads a chunk and appends to `out` what may be handed out now.
    ///
    /// # Errors
    /// Why the body can't be masked; it stays that way.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), MaskError> {
        self.guarded(out, |mode, out| match mode {
            Mode::Json(engine) => engine.push(chunk, out),
            Mode::Text(text) => {
                text.push(chunk, out);
                Ok(())
            }
            Mode::Failure(failure) => {
                failure.push(chunk);
                Ok(())
            }
            Mode::Foreign { has_body, .. } => {
                *has_body |= !chunk.is_empty();
                Ok(())
            }
            Mode::Empty if chunk.is_empty() => Ok(()),
            Mode::Empty => Err(MaskErrorKind::UnexpectedBody.into()),
        })
    }

    /// Ends the body: appends what was held back and says what was done.
    ///
    /// # Errors
    /// Why the body can't end here.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<Report, MaskError> {
        self.guarded(out, |mode, out| match mode {
            Mode::Json(engine) => {
                engine.finish()?;
                Ok(engine.tally().report().clone())
            }
            Mode::Text(text) => {
                text.finish(out);
                Ok(Report::of_text(text))
            }
            Mode::Failure(failure) => Ok(failure.finish(out)),
            Mode::Foreign { code, has_body } => {
                if std::mem::take(has_body) {
                    out.extend_from_slice(&walk::ours(*code));
                }
                Ok(Report::default())
            }
            Mode::Empty => Ok(Report::default()),
        })
    }

    /// The report so far, for a body that is given up.
    #[must_use]
    pub fn report(&self) -> Report {
        match &self.mode {
            Mode::Json(engine) => engine.tally().report().clone(),
            Mode::Failure(failure) => failure.tally.report().clone(),
            Mode::Text(text) => Report::of_text(text),
            Mode::Foreign { .. } | Mode::Empty => Report::default(),
        }
    }

    fn guarded<R>(
        &mut self,
        out: &mut Vec<u8>,
        act: impl FnOnce(&mut Mode, &mut Vec<u8>) -> Result<R, MaskError>,
    ) -> Result<R, MaskError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let before = out.len();
        let result = act(&mut self.mode, out);
        self.emitted |= out.len() > before;
        self.failed = result.as_ref().err().copied();
        result
    }
}

/// Without what is held, which is not masked yet.
impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masker")
            .field("content_type", &self.content_type)
            .field("emitted", &self.emitted)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl Failure {
    fn push(&mut self, chunk: &[u8]) {
        self.is_too_large |= chunk.len() > MAX_ITEM - self.held.len();
        if !self.is_too_large {
            self.held.extend_from_slice(chunk);
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Report {
        if self.held.is_empty() && !self.is_too_large {
            return Report::default();
        }
        let mut is_status = false;
        let masked = mask_bytes(&self.plan, &mut self.tally, &self.held, |walk, page| {
            let keep = walk.root(page)?;
            is_status = walk.kind.as_deref() == Some("Status");
            Ok(keep)
        });
        match masked {
            Ok(Some(masked)) if is_status && !self.is_too_large => out.extend_from_slice(&masked),
            _ => out.extend_from_slice(&walk::ours(self.code)),
        }
        self.held = Vec::new();
        self.tally.report().clone()
    }
}
