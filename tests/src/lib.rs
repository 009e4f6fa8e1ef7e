//! What the tests share.

pub mod control_plane;
pub mod corpus;
pub mod guarded;
pub mod kinds;
pub mod merge_schema;
pub mod program;
pub mod vectors;
