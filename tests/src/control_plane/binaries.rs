//! Where the binaries come from: `KUBEBUILDER_ASSETS`, the cache, or a build from Go modules, once per machine.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::Error;
use super::os;

const GO_MOD: &str = include_str!("../../control-plane/go.mod");
const GO_SUM: &str = include_str!("../../control-plane/go.sum");

/// The executables of one Kubernetes version.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    pub(super) etcd: PathBuf,
    pub(super) kube_apiserver: PathBuf,
    pub(super) kubectl: Option<PathBuf>,
}

impl Binaries {
    /// Finds them, or builds them into the cache. Blocks for minutes in the worst case.
    pub(super) fn find_or_build() -> Result<Self, Error> {
        if let Some(dir) = env::var_os("KUBEBUILDER_ASSETS").filter(|dir| !dir.is_empty()) {
            match Self::in_dir(Path::new(&dir)) {
                Some(found) => return Ok(found),
                None => progress(&format!(
                    "KUBEBUILDER_ASSETS={} has not both etcd and kube-apiserver: not used",
                    dir.display()
                )),
            }
        }
        let dir = cache_dir()?;
        if let Some(found) = Self::in_dir(&dir) {
            return Ok(found);
        }
        let go = on_path("go").ok_or_else(|| {
            Error::unavailable(
                "no KUBEBUILDER_ASSETS (a folder with etcd and kube-apiserver), and no go to build them with",
            )
        })?;
        build(&go, &dir)?;
        Self::in_dir(&dir).ok_or_else(|| Error::unavailable(format!("the build left no binaries in {}", dir.display())))
    }

    fn in_dir(dir: &Path) -> Option<Self> {
        let file = |name: &str| Some(dir.join(name)).filter(|path| path.is_file());
        Some(Self {
            etcd: file("etcd")?,
            kube_apiserver: file("kube-apiserver")?,
            kubectl: file("kubectl").or_else(|| on_path("kubectl")),
        })
    }
}

/// `countersign/control-plane/<key>` in the user's cache folder; the key changes with every module's checksum.
fn cache_dir() -> Result<PathBuf, Error> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .ok_or_else(|| {
            Error::unavailable("no KUBEBUILDER_ASSETS, and neither XDG_CACHE_HOME nor HOME to cache a build in")
        })?;
    let mut key = hex::encode(Sha256::digest(GO_SUM));
    key.truncate(16);
    Ok(cache
        .join("countersign/control-plane")
        .join(format!("{key}-{}-{}", env::consts::OS, env::consts::ARCH)))
}

fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
}

/// Builds into a folder beside `dir` and renames it, so that `dir` is either whole or absent.
fn build(go: &Path, dir: &Path) -> Result<(), Error> {
    let failed = |what: &str, error: io::Error| Error::unavailable(format!("{what} in {}: {error}", dir.display()));
    let parent = dir
        .parent()
        .ok_or_else(|| Error::unavailable("the cache folder has no parent"))?;
    fs::create_dir_all(parent).map_err(|error| failed("can't make the cache folder", error))?;
    let _lock = lock(&dir.with_extension("lock")).map_err(|error| failed("can't lock the cache", error))?;
    if dir.is_dir() {
        return Ok(()); // The builder that held the lock before us made it.
    }
    let scratch = dir.with_extension("building");
    let _ = fs::remove_dir_all(&scratch); // A build that was killed left it; the lock says that none is running.
    let log = scratch.join("build.log");
    let run = || -> io::Result<bool> {
        fs::create_dir_all(scratch.join("bin"))?;
        fs::write(scratch.join("go.mod"), GO_MOD)?;
        fs::write(scratch.join("go.sum"), GO_SUM)?;
        if !go_build(go, &scratch, File::create(&log)?)? {
            return Ok(false);
        }
        fs::rename(scratch.join("bin/server"), scratch.join("bin/etcd"))?;
        fs::rename(scratch.join("bin"), dir)?;
        Ok(true)
    };
    let outcome = run();
    let said = fs::read_to_string(&log).unwrap_or_default();
    let _ = fs::remove_dir_all(&scratch);
    match outcome {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::unavailable(format!(
            "go can't build them:\n{}",
            super::tail(&said, 15)
        ))),
        Err(error) => Err(failed("can't build", error)),
    }
}

fn go_build(go: &Path, scratch: &Path, log: File) -> io::Result<bool> {
    let mut command = Command::new(go);
    command
        .args(["build", "-trimpath", "-ldflags", "-s -w", "-o", "bin/", "tool"])
        .current_dir(scratch)
        // What the user's own Go work is set to must not change what comes out.
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .env("GOFLAGS", "-mod=readonly")
        .env_remove("GOOS")
        .env_remove("GOARCH")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    os::die_with_spawner(&mut command);
    let mut child = command.spawn()?;
    let mut told = Told::new();
    loop {
        told.tell("building kube-apiserver and etcd from Go modules, once per machine (some minutes)");
        match child.try_wait()? {
            Some(status) => return Ok(status.success()),
            None => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn lock(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    let mut told = Told::new();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                told.tell("waiting for another process that builds kube-apiserver and etcd")
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// One line at once, then one every 20 seconds: so that nobody takes the wait for a hang, and no log is flooded.
struct Told {
    since: Instant,
    next: Duration,
}

impl Told {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            next: Duration::ZERO,
        }
    }

    fn tell(&mut self, what: &str) {
        let passed = self.since.elapsed();
        if passed >= self.next {
            progress(&format!("{what}: {} s …", passed.as_secs()));
            self.next += Duration::from_secs(20);
        }
    }
}

/// To the real standard error: libtest keeps back what `eprintln!` writes.
pub(super) fn progress(line: &str) {
    let _ = writeln!(io::stderr(), "control plane: {line}");
}
