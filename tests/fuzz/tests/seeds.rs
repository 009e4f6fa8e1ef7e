//! Every seed through its target, without a fuzzer; and all that is made from the vectors.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign_fuzz::{FuzzTarget, TARGETS, seeds};

/// Far more than any input needs.
const PATIENCE: Duration = Duration::from_secs(5);

fn folder(target: FuzzTarget) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name)
}

fn committed(target: FuzzTarget) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder(target)).expect("a folder of seeds");
    let paths = files.map(|file| file.expect("a file").path());
    paths
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a file")))
        .collect()
}

/// How many of these the target accepts.
fn check(target: FuzzTarget, inputs: &[(String, Vec<u8>)]) -> usize {
    let accepted = inputs.iter().filter(|(name, input)| {
        // Shown if it panics.
        println!("{}: {name}", target.name);
        let begun = Instant::now();
        let accepted = (target.check)(input);
        assert!(begun.elapsed() < PATIENCE, "{name} takes {:?}", begun.elapsed());
        accepted
    });
    accepted.count()
}

#[test]
fn every_seed_holds() {
    for target in TARGETS {
        let seeds = committed(target);
        let accepted = check(target, &seeds);
        println!("{}: {accepted} of {} seeds are accepted", target.name, seeds.len());
        // Refusals alone would begin at the door each time.
        assert!(
            accepted >= 10 && seeds.len() >= 15,
            "{}: {accepted} of {}",
            target.name,
            seeds.len()
        );
        let enough = "keep those that reach something new";
        assert!(seeds.len() < 200, "{}: {} seeds: {enough}", target.name, seeds.len());
    }
}

#[test]
fn every_case_of_the_vectors_holds() {
    for target in TARGETS {
        let inputs: Vec<_> = seeds::from_vectors(target.name)
            .into_iter()
            .map(|(name, text)| (name, text.into_bytes()))
            .collect();
        assert!(check(target, &inputs) > 0);
    }
}

#[test]
fn every_folder_of_seeds_has_a_target() {
    let found = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")).unwrap();
    let found: BTreeSet<_> = found
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, TARGETS.map(|target| target.name.to_owned()).into());
}
