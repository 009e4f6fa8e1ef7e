//! A policy from files, replaced while it is in use when they change.
//!
//! 1. A path is a file, or a directory of which every `*.yaml` and `*.yml` counts, subdirectories aside. Names that begin
//!    with a dot do not: files of editors, and what a mounted ConfigMap keeps behind its links. Nor do `*.test.yaml` and
//!    `*.test.yml`, the [tests](countersign_core::policy::PolicyTests) of the policies.
//! 2. All files are one policy: it is replaced as a whole or not at all. What can't be read, does not parse or contradicts
//!    itself leaves the old one in force, and says so: as an event at level ERROR, in the metrics
//!    `countersign.policy.reloads` and `countersign.policy.stale`, and in [`PolicyFiles::status`].
//! 3. Contents are compared, not times; so links that are swapped (mounted ConfigMaps), clocks and file systems don't
//!    matter. A change counts once two reads in a row gave the same, so that no half of one is taken for the whole.
//! 4. A file that is deleted from a directory takes its documents with it. But a path that is named and gone, and a
//!    directory without any policy, is an error: so an empty mount does not pass for a policy that denies everything, nor
//!    does it become one by surprise. To deny everything, write a policy that does.
//! 5. When it begins there is no old policy to keep: what is broken then is an error of [`PolicyFiles::load`].
//!
//! A request that is judged while the policy is replaced is refused with 503, and one that was held under the old policy
//! has to be asked for again: see [`ReloadablePolicy`].
//!
//! ```
//! use countersign_tower::policy::PolicyFiles;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("triage.yaml");
//! let policy = |effect: &str| format!(r#"
//! apiVersion: countersign.dev/v1alpha1
//! kind: Policy
//! metadata: {{ name: triage }}
//! spec:
//!   subjects: [{{ group: agents }}]
//!   scopes: [{{ namespaces: [team-a] }}]
//!   rules: [{{ name: look, match: {{ effects: [{effect}] }}, allow: {{}} }}]
//! "#);
//! std::fs::write(&path, policy("read"))?;
//! let files = PolicyFiles::load([folder.path()])?.watch()?; // `.policy(files.clone())` on the guard's builder
//! let before = files.status();
//!
//! std::fs::write(&path, policy("rea"))?; // a slip
//! let refused = files.reload().unwrap_err();
//! assert!(refused.to_string().contains("triage.yaml:8:44: unknown effect `rea`"), "{refused}");
//! assert_eq!(files.status().revision, before.revision, "the old one stays");
//! assert!(files.status().error.is_some());
//!
//! std::fs::write(&path, policy("read, log"))?;
//! files.reload()?; // or wait for the watch, which looks every two seconds
//! assert_ne!(files.status().revision, before.revision);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod snapshot;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use countersign_core::digest::Digest;
use countersign_core::policy::{Evaluation, Facts, LoadErrors, PolicyEngine, PolicySet, ReloadablePolicy};
use countersign_core::request::Canonical;
use countersign_core::{Subject, Timestamp};

use snapshot::Snapshot;

use super::status::{PolicyReporter, PolicyStatus};

/// How often a watch looks, if nothing else is said.
const INTERVAL: Duration = Duration::from_secs(2);

/// Between two reads that have to agree. Long enough for an editor to write what it has cut.
const SETTLE: Duration = Duration::from_millis(50);

/// A policy from files. Cheap to clone: every clone is a handle to the same policy.
#[derive(Debug, Clone)]
pub struct PolicyFiles {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    paths: Vec<PathBuf>,
    policy: ReloadablePolicy,
    /// Apart from what is read, so that asking for it never waits for a disk.
    status: Mutex<PolicyStatus>,
    seen: Mutex<Seen>,
    reporter: PolicyReporter,
}

#[derive(Debug)]
struct Seen {
    /// What is in force.
    taken: Snapshot,
    /// What was read last and found broken: it has settled.
    broken: Option<Snapshot>,
}

/// Why a policy is not in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFilesError {
    /// A file or directory can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no policy in a directory.
    #[error("{}: there is no *.yaml or *.yml in this directory", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// There are more than 1,000 files, or more than 16 MiB in them.
    #[error("{}: this is more than the 1,000 files and 16 MiB that a policy may have", path.display())]
    TooLarge {
        /// Where it was too much.
        path: PathBuf,
    },
    /// No path was named.
    #[error("no file or directory was named")]
    Nothing,
    /// The files changed while they were read; they are read again.
    #[error("the files changed while they were read")]
    Changing,
    /// Documents are wrong.
    #[error(transparent)]
    Documents(#[from] LoadErrors),
}

impl PolicyFilesError {
    fn read(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::Read { path, source }
    }
}

impl PolicyFiles {
    /// Loads a policy from files and directories. It reads, so call it where blocking is allowed.
    ///
    /// # Errors
    /// What can't be read, and everything that is wrong with the documents.
    pub fn load(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self, PolicyFilesError> {
        let paths: Vec<_> = paths.into_iter().map(|path| path.as_ref().to_owned()).collect();
        if paths.is_empty() {
            return Err(PolicyFilesError::Nothing);
        }
        let taken = Snapshot::read(&paths)?;
        let policy = PolicySet::from_yaml(&taken.0)?;
        let status = PolicyStatus::in_force(policy.revision(), Timestamp::now());
        let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        let reporter = PolicyReporter::new(names.join(" "));
        reporter.accepted(&status);
        Ok(Self {
            inner: Arc::new(Inner {
                paths,
                policy: ReloadablePolicy::new(policy),
                status: Mutex::new(status),
                seen: Mutex::new(Seen { taken, broken: None }),
                reporter,
            }),
        })
    }

    /// Looks for changes every two seconds from now on, until the last handle is dropped.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn watch(self) -> io::Result<Self> {
        self.watch_every(INTERVAL)
    }

    /// As [`watch`](Self::watch), at another interval.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn watch_every(self, interval: Duration) -> io::Result<Self> {
        let watched = Arc::downgrade(&self.inner);
        // A thread, since files block, and since a policy must not wait behind the tasks that it judges.
        let watch = move || {
            loop {
                thread::sleep(interval);
                let Some(inner) = watched.upgrade() else { return };
                // Reported by itself.
                let _ = inner.reload();
            }
        };
        thread::Builder::new()
            .name("countersign-policy".to_owned())
            .spawn(watch)?;
        Ok(self)
    }

    /// Looks for changes now; says whether another policy came into force. It reads, so call it where blocking is
    /// allowed.
    ///
    /// # Errors
    /// Why what the files say is not in force.
    pub fn reload(&self) -> Result<bool, PolicyFilesError> {
        self.inner.reload()
    }

    /// What is in force, since when, and why a newer version is not.
    #[must_use]
    pub fn status(&self) -> PolicyStatus {
        self.inner.status().clone()
    }

    /// The policy in force.
    #[must_use]
    pub fn current(&self) -> Arc<PolicySet> {
        self.inner.policy.current()
    }
}

impl PolicyEngine for PolicyFiles {
    fn evaluate(&self, subject: &Subject, request: &Canonical, facts: &Facts, now: Timestamp) -> Evaluation {
        self.inner.policy.evaluate(subject, request, facts, now)
    }

    fn revision(&self) -> Digest {
        self.inner.policy.revision()
    }
}

impl Inner {
    fn reload(&self) -> Result<bool, PolicyFilesError> {
        // Held while it reads: of two who look at once, the second finds the first's result.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.find(&mut seen);
        if let Err(error) = &found
            && !matches!(error, PolicyFilesError::Changing)
        {
            let before = self.status().clone();
            let now = before.clone().with_problem(error.to_string(), Timestamp::now());
            if now != before {
                self.reporter.refused(&now);
                *self.status() = now;
            }
        }
        found
    }

    fn find(&self, seen: &mut Seen) -> Result<bool, PolicyFilesError> {
        let snapshot = Snapshot::read(&self.paths)?;
        if snapshot == seen.taken {
            seen.broken = None;
            let mut status = self.status();
            if status.error.take().is_some() {
                self.reporter.recovered(&status);
            }
            return Ok(false);
        }
        if seen.broken.as_ref() != Some(&snapshot) {
            thread::sleep(SETTLE);
            if Snapshot::read(&self.paths)? != snapshot {
                return Err(PolicyFilesError::Changing);
            }
        }
        let policy = PolicySet::from_yaml(&snapshot.0).inspect_err(|_| seen.broken = Some(snapshot.clone()))?;
        let status = PolicyStatus::in_force(policy.revision(), Timestamp::now());
        seen.taken = snapshot;
        seen.broken = None;
        self.policy.replace(policy);
        self.reporter.accepted(&status);
        *self.status() = status;
        Ok(true)
    }

    fn status(&self) -> MutexGuard<'_, PolicyStatus> {
        // Every change of it is one assignment.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
