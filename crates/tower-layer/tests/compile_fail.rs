//! What the types forbid: each file of `compile_fail` is one attempt to get around a step, and the compiler's answer.
//!
//! `TRYBUILD=overwrite` writes the answers anew.

#[test]
fn a_step_can_not_be_skipped() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
