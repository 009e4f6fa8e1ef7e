//! What a request does: policy is written on effects, because verbs lie.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// One thing that a request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[repr(u8)]
pub enum Effect {
    /// Learns what the API offers.
    Discovery,
    /// Reads objects.
    Read,
    /// Reads objects as they change.
    ReadStream,
    /// Reads what a container printed.
    Log,
    /// Asks the server about rights, without side effects.
    Review,
    /// Changes something.
    Write,
    /// Takes something away, or may.
    Destructive,
    /// Opens a connection that leaves the API: exec, attach, port-forward, proxy.
    Connect,
    /// Mints or reveals a credential.
    Credential,
    /// Gives somebody more rights than they had.
    Escalation,
    /// Touches the guard itself: its namespace, identity, policy, approvals or recordings.
    #[serde(rename = "self")]
    Guard,
}

impl Effect {
    /// All effects.
    pub const ALL: [Self; 11] = [
        Self::Discovery,
        Self::Read,
        Self::ReadStream,
        Self::Log,
        Self::Review,
        Self::Write,
        Self::Destructive,
        Self::Connect,
        Self::Credential,
        Self::Escalation,
        Self::Guard,
    ];

    /// The name in policies and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Read => "read",
            Self::ReadStream => "read-stream",
            Self::Log => "log",
            Self::Review => "review",
            Self::Write => "write",
            Self::Destructive => "destructive",
            Self::Connect => "connect",
            Self::Credential => "credential",
            Self::Escalation => "escalation",
            Self::Guard => "self",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of effects.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Effects(u16);

impl Effects {
    /// No effect.
    pub const NONE: Self = Self(0);

    /// Every effect.
    pub const ALL: Self = {
        let (mut all, mut rest) = (Self::NONE, Effect::ALL.as_slice());
        while let [effect, others @ ..] = rest {
            (all, rest) = (all.with(*effect), others);
        }
        all
    };

    /// A set of one.
    #[must_use]
    pub const fn only(effect: Effect) -> Self {
        Self(1 << effect as u8)
    }

    /// This set and one effect more.
    #[must_use]
    pub const fn with(self, effect: Effect) -> Self {
        Self(self.0 | Self::only(effect).0)
    }

    /// Whether the effect is in the set.
    #[must_use]
    pub const fn contains(self, effect: Effect) -> bool {
        self.0 & Self::only(effect).0 != 0
    }

    /// Whether every effect of this set is in `other`.
    #[must_use]
    pub const fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether the sets share an effect.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The effects of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The effects of this set that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many effects are in the set.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there is no effect in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The effects, in the order of [`Effect::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Effect> {
        Effect::ALL.into_iter().filter(move |effect| self.contains(*effect))
    }

    /// Whether anything but reading may happen: such requests are recorded durably before they are sent.
    #[must_use]
    pub fn is_more_than_reading(self) -> bool {
        const READING: Effects = Effects::only(Effect::Discovery)
            .with(Effect::Read)
            .with(Effect::ReadStream)
            .with(Effect::Log)
            .with(Effect::Review);
        !self.is_subset(READING)
    }
}

impl FromIterator<Effect> for Effects {
    fn from_iter<I: IntoIterator<Item = Effect>>(effects: I) -> Self {
        effects.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, effect) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(effect.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for Effects {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}
