//! What is known in each session.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use smol_str::SmolStr;

use super::{KnownLimits, KnownValues};

/// The known values of each session, of a bounded number of sessions.
///
/// A session that is not used for a while is forgotten; where there are too many, the one that was not used for the
/// longest time is. Whoever still holds its values goes on with them. What one session knows no other does: else an agent
/// could find out by masking what another has read.
pub struct Sessions {
    limits: KnownLimits,
    most: usize,
    idle: SignedDuration,
    sessions: Mutex<HashMap<SmolStr, Session>>,
}

struct Session {
    used: Timestamp,
    values: Arc<KnownValues>,
}

impl Sessions {
    /// For at most so many sessions, each forgotten when it was not used for so long.
    #[must_use]
    pub fn new(limits: KnownLimits, most: usize, idle: SignedDuration) -> Self {
        Self {
            limits,
            most: most.max(1),
            idle,
            sessions: Mutex::default(),
        }
    }

    /// What is known in a session, which is new if it is not known.
    #[must_use]
    pub fn get(&self, session: &str, now: Timestamp) -> Arc<KnownValues> {
        let mut sessions = self.lock();
        if let Some(known) = sessions.get_mut(session)
            && now.duration_since(known.used) <= self.idle
        {
            known.used = known.used.max(now);
            return Arc::clone(&known.values);
        }
        sessions.retain(|_, known| now.duration_since(known.used) <= self.idle);
        if sessions.len() >= self.most {
            let oldest = sessions.iter().min_by_key(|(_, known)| known.used);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                sessions.remove(&oldest);
            }
        }
        let values = Arc::new(KnownValues::new(self.limits));
        let known = Session {
            used: now,
            values: Arc::clone(&values),
        };
        sessions.insert(session.into(), known);
        values
    }

    /// Forgets a session, because it ended.
    pub fn forget(&self, session: &str) {
        self.lock().remove(session);
    }

    /// Number of sessions in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is no session in memory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SmolStr, Session>> {
        // Each change is one call of the map.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// At most 1,000 sessions, each forgotten after an hour.
impl Default for Sessions {
    fn default() -> Self {
        Self::new(KnownLimits::default(), 1000, SignedDuration::from_hours(1))
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("limits", &self.limits)
            .field("most", &self.most)
            .field("idle", &self.idle)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
