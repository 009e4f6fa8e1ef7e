#![cfg_attr(fuzzing, no_main)]
#![doc = "The fuzz target `mask`; see `tests/fuzz/run`."]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let _accepted = countersign_fuzz::mask::check(input);
});

#[cfg(not(fuzzing))]
fn main() {
    countersign_fuzz::replay(countersign_fuzz::mask::check);
}
