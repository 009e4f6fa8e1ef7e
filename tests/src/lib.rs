//! What the tests share.

pub mod canary;
pub mod control_plane;
pub mod corpus;
pub mod gateway;
pub mod guarded;
pub mod kinds;
pub mod merge_schema;
pub mod program;
pub mod vectors;
