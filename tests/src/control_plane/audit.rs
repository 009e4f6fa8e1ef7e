//! The audit log of the API server: what it says that it was asked.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use super::ControlPlane;

const PATIENCE: Duration = Duration::from_secs(20);

/// One event of the audit log (`audit.k8s.io/v1`, level `Metadata`).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// Chosen by the client in the header `Audit-ID`, else by the server.
    #[serde(rename = "auditID")]
    pub audit_id: String,
    /// `ResponseComplete`; for watches and upgrades `ResponseStarted` comes before it.
    pub stage: String,
    /// As the authorizer saw it: `get`, `deletecollection`, …
    pub verb: String,
    /// As it was sent, with the query.
    #[serde(rename = "requestURI")]
    pub request_uri: String,
    /// Who asked.
    pub user: AuditUser,
    /// What it was about; absent for paths that name no resource.
    pub object_ref: Option<ObjectRef>,
    /// What was answered.
    pub response_status: Option<ResponseStatus>,
    /// The header `User-Agent`.
    pub user_agent: Option<String>,
    /// Everything else that the event says.
    #[serde(flatten)]
    pub other: serde_json::Map<String, Value>,
}

/// The user of an [`AuditEvent`].
#[derive(Clone, Debug, Deserialize)]
pub struct AuditUser {
    /// The name.
    pub username: String,
    /// The groups.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// The object of an [`AuditEvent`]; what does not apply is empty.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the names are those of audit.k8s.io")]
pub struct ObjectRef {
    pub resource: String,
    pub namespace: String,
    pub name: String,
    pub subresource: String,
    pub api_group: String,
    pub api_version: String,
    pub uid: String,
    pub resource_version: String,
}

/// The answer of an [`AuditEvent`].
#[derive(Clone, Debug, Deserialize)]
pub struct ResponseStatus {
    /// The HTTP status.
    pub code: u16,
}

/// The log file, read on from where it was left.
struct Reader {
    path: PathBuf,
    offset: u64,
    partial: Vec<u8>,
}

impl AuditEvent {
    /// Whether it is the last word on its request.
    pub fn is_complete(&self) -> bool {
        self.stage == "ResponseComplete"
    }
}

impl ControlPlane {
    /// The `ResponseComplete` event of the request with this `Audit-ID`. Waits for it; panics when none comes.
    pub async fn audit_event(&self, audit_id: &str) -> AuditEvent {
        self.audit_event_where(|event| event.audit_id == audit_id && event.is_complete())
            .await
    }

    /// The first event for which `wanted` holds, from the start of the log. Waits for it; panics when none comes.
    pub async fn audit_event_where(&self, wanted: impl Fn(&AuditEvent) -> bool) -> AuditEvent {
        let mut reader = Reader::new(self.audit_log());
        let begun = Instant::now();
        loop {
            if let Some(found) = reader.more().into_iter().find(&wanted) {
                return found;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "no such event in the audit log within {PATIENCE:?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Every event of requests that were answered before this call: the way to see that something was *not* sent, or
    /// sent once. It sends a request of its own and reads up to that one's event.
    pub async fn audit_events(&self) -> Vec<AuditEvent> {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let id = format!("countersign-fixture-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let request = http::Request::get("/version")
            .header("Audit-ID", &id)
            .body(Vec::new())
            .expect("a request");
        self.admin()
            .request_text(request)
            .await
            .expect("the API server answers");
        let mut reader = Reader::new(self.audit_log());
        let mut events = Vec::new();
        let begun = Instant::now();
        while !events.iter().any(|event: &AuditEvent| event.audit_id == id) {
            assert!(
                begun.elapsed() < PATIENCE,
                "a request of the fixture's own is not in the audit log"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
            events.extend(reader.more());
        }
        events.retain(|event| event.audit_id != id);
        events
    }
}

impl Reader {
    fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            offset: 0,
            partial: Vec::new(),
        }
    }

    /// The events that were written since the last call. Panics on one that it can't read: a test that counts events
    /// must not overlook any.
    fn more(&mut self) -> Vec<AuditEvent> {
        // The log appears with its first event.
        if let Ok(mut file) = File::open(&self.path) {
            file.seek(SeekFrom::Start(self.offset)).expect("a regular file");
            let read = file.read_to_end(&mut self.partial).expect("a regular file");
            self.offset += read as u64;
        }
        let Some(end) = self.partial.iter().rposition(|byte| *byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.partial.split_off(end + 1);
        let whole = std::mem::replace(&mut self.partial, rest);
        let lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_slice(line).expect("an audit event"))
            .collect()
    }
}
