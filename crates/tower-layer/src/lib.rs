//! x

/// The audit.
pub mod audit {
    pub mod file;
}
