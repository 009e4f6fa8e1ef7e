#![doc = "Writes inputs made from the vectors into a folder: `fuzz-seeds TARGET FOLDER`; see `tests/fuzz/run`."]

use std::path::PathBuf;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [target, folder] = &arguments[..] else {
        panic!("usage: fuzz-seeds TARGET FOLDER");
    };
    let seeds = countersign_fuzz::seeds::from_vectors(target);
    for (name, text) in &seeds {
        std::fs::write(PathBuf::from(folder).join(name), text).expect("a folder to write to");
    }
    println!("{} inputs for {target}", seeds.len());
}
