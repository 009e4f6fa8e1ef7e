//! Who asks: the subject that rules are about, and the claims that are recorded but never give rights.

use serde::{Deserialize, Serialize};

/// Who asks. Made by the program that embeds the guard, never read from the request itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Subject {
    /// Name of the agent, as rules name it.
    pub user: String,
    /// Groups that the agent belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The human or system on whose behalf the agent works, if that was authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// The session that the request belongs to; it groups records and is no part of an approval's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

impl Subject {
    /// A subject with a name and no groups.
    #[must_use]
    pub fn new(user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            ..Self::default()
        }
    }

    /// Adds a group.
    #[must_use]
    pub fn with_group(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }

    /// Names the authenticated human or system on whose behalf the agent works.
    #[must_use]
    pub fn on_behalf_of(mut self, principal: impl Into<String>) -> Self {
        self.on_behalf_of = Some(principal.into());
        self
    }

    /// Names the session.
    #[must_use]
    pub fn with_session(mut self, session: impl Into<String>) -> Self {
        self.session = Some(session.into());
        self
    }
}

/// What the agent says about a request: recorded, shown to approvers as a claim, never used for rights.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Claims {
    /// Why the agent does this, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Which human the agent says is acting through it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_human: Option<String>,
}

impl Claims {
    /// Claims with a stated reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Claims with an acting human.
    #[must_use]
    pub fn with_acting_human(mut self, human: impl Into<String>) -> Self {
        self.acting_human = Some(human.into());
        self
    }
}
