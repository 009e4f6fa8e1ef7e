//! The files as they are at one moment, or why they can't be read.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::PolicyFilesError;

/// Most files of one policy.
const MAX_FILES: usize = 1_000;

/// Most bytes of all of them together.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Names and texts of files, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot(pub(super) Vec<(String, String)>);

impl Snapshot {
    /// Reads all files that are named, and those of directories that are policies by their name.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, PolicyFilesError> {
        let mut names = Vec::new();
        for path in paths {
            let about = fs::metadata(path).map_err(|error| PolicyFilesError::read(path, error))?;
            if about.is_dir() {
                let before = names.len();
                list(path, &mut names)?;
                if names.len() == before {
                    return Err(PolicyFilesError::Empty { path: path.clone() });
                }
            } else {
                names.push(path.clone());
            }
        }
        names.sort();
        names.dedup();
        let mut bytes = 0;
        let mut files = Vec::with_capacity(names.len());
        for path in names {
            let text = read(&path, MAX_BYTES - bytes)?;
            bytes += text.len();
            files.push((path.display().to_string(), text));
        }
        Ok(Self(files))
    }
}

/// `*.yaml` and `*.yml`, but what begins with a dot: files of editors, and `..data` of a mounted ConfigMap; and but tests of
/// policies, which stand beside them.
fn list(folder: &Path, names: &mut Vec<PathBuf>) -> Result<(), PolicyFilesError> {
    let failed = |error| PolicyFilesError::read(folder, error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let ends_in = |suffixes: [&[u8]; 2]| suffixes.iter().any(|suffix| name.ends_with(suffix));
        let is_policy = ends_in([b".yaml", b".yml"]) && !ends_in([b".test.yaml", b".test.yml"]);
        // Through links: in a mounted ConfigMap every file is one. One that vanished is an error, since what it denied would
        // be permitted.
        if name.starts_with(b".") || !is_policy || !is_file(&path)? {
            continue;
        }
        if names.len() >= MAX_FILES {
            return Err(PolicyFilesError::TooLarge { path: folder.into() });
        }
        names.push(path);
    }
    Ok(())
}

fn is_file(path: &Path) -> Result<bool, PolicyFilesError> {
    let about = fs::metadata(path).map_err(|error| PolicyFilesError::read(path, error))?;
    Ok(!about.is_dir())
}

fn read(path: &Path, room: usize) -> Result<String, PolicyFilesError> {
    let failed = |error| PolicyFilesError::read(path, error);
    // A pipe or a device would never end.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("it is no ordinary file")));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(room).unwrap_or(u64::MAX).saturating_add(1);
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    if read.map_err(failed)? > room {
        return Err(PolicyFilesError::TooLarge { path: path.into() });
    }
    String::from_utf8(bytes).map_err(|_| failed(io::Error::from(io::ErrorKind::InvalidData)))
}
