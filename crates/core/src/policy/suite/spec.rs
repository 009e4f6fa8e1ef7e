//! A case, as it was read.

use jiff::Timestamp;

use crate::policy::glob::Glob;
use crate::request::{Effects, Live};
use crate::subject::Subject;

/// One request and what should become of it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// `file:line:column`
    pub(super) place: String,
    /// The document.
    pub(super) suite: String,
    pub(super) name: String,
    pub(super) subject: Subject,
    pub(super) request: Request,
    pub(super) live: Option<Live>,
    pub(super) namespace: Option<Live>,
    pub(super) now: Timestamp,
    pub(super) expect: Expect,
}

/// A request as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// What should become of a request; what is left out does not matter.
#[derive(Debug, Clone)]
pub(super) struct Expect {
    pub(super) outcome: &'static str,
    pub(super) rule: Option<String>,
    pub(super) effects: Option<Effects>,
    pub(super) message: Option<Glob>,
    /// Names of rules, sorted.
    pub(super) rewrites: Option<Vec<String>>,
    pub(super) masks: Option<Vec<String>>,
    pub(super) shadow: Option<Vec<String>>,
}
