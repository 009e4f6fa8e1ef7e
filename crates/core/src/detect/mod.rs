//! Secrets in text: where in a log line, an environment variable, a message a value stands that nobody should read.
//!
//! A text is looked at by each [`Detector`] of [`Detectors`]; what any of them finds is masked. This is best effort: a
//! secret that looks like nothing in particular, under a name that says nothing, is not found. What is found by kind and
//! path instead ([`mask`](crate::mask)) is sound.
//!
//! 1. A [`Hit`] covers the whole of a secret and nothing else: `password=` stays, what follows it goes.
//! 2. Overlapping hits become one. Each is replaced by [`MARKER`](crate::mask::MARKER), whatever is in it.
//! 3. What a policy adds or switches off is [`Detectors::with_names`] and [`Detectors::without`].
//! 4. [`Text`] is fed a stream chunk by chunk: how it is cut never changes what comes out, and a complete line is never
//!    held back.

mod ansi;
mod by_byte;
mod contexts;
mod detectors;
mod engine;
mod hit;
mod known;
mod last;
mod lines;
mod names;
mod own_names;
mod quiet;
mod rules;
mod text;

pub use contexts::Contexts;
pub use detectors::{Detector, Detectors};
pub use hit::{Hit, Hits};
pub use known::{KnownLimits, KnownValues, Sessions};
pub use lines::LineState;
pub use rules::{Begins, Check, Group, RuleError, RuleSource, Rules};
pub use text::Text;

pub(crate) use last::Last;
pub(crate) use own_names::RULE as NAMED;
