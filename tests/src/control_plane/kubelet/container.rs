//! A container: a process of this machine with a folder, an environment and a log of its own, or none and idle.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::jiff::Timestamp;
use nix::sys::signal::Signal;
use tokio::sync::{broadcast, mpsc, watch};

use super::logs::Log;
use super::process::{Process, Stream, Surroundings};
use super::terminal::Terminal;
use crate::control_plane::launch::{Group, Launcher, kill_marked};

/// Every process of a container has this environment variable.
const MARK: &str = "COUNTERSIGN_CONTAINER";

pub(super) struct Container {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) log: Log,
    pub(super) state: watch::Sender<State>,
    launcher: Arc<Launcher>,
    around: Surroundings,
    mark: String,
    stdin_once: bool,
    input: Mutex<Option<mpsc::Sender<Bytes>>>,
    terminal: Option<Arc<Terminal>>,
    live: broadcast::Sender<(Stream, Bytes)>,
    main: Option<Arc<Group>>,
    /// Of what was executed in it and may still run.
    executed: Mutex<Vec<Arc<Group>>>,
}

#[derive(Clone, Debug)]
pub(super) enum State {
    Running {
        since: Timestamp,
    },
    Terminated {
        since: Timestamp,
        at: Timestamp,
        code: i32,
        reason: &'static str,
        message: String,
    },
}

/// What exec and attach have in common.
pub(super) struct Session {
    pub(super) input: Option<mpsc::Sender<Bytes>>,
    pub(super) output: mpsc::Receiver<(Stream, Bytes)>,
    pub(super) terminal: Option<Arc<Terminal>>,
    pub(super) exit: futures_util::future::BoxFuture<'static, i32>,
    /// What hangs up when the client of a terminal goes away.
    pub(super) group: Option<Arc<Group>>,
}

impl Container {
    /// Starts it. What can't be started is a container that terminated at once, as on a real node.
    pub(super) fn start(launcher: &Arc<Launcher>, pod: &core::Pod, spec: &core::Container) -> Arc<Self> {
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        let dir = launcher.work_dir().join("pods").join(uid).join(&spec.name);
        let mark = format!("{uid}/{}", spec.name);
        let around = Surroundings {
            env: environment(pod, spec, &dir, &mark),
            dir,
        };
        let argv: Vec<String> = spec.command.iter().chain(&spec.args).flatten().cloned().collect();
        // Arguments alone are for the command of the image, which nobody pulls.
        let runs = spec.command.as_ref().is_some_and(|command| !command.is_empty());
        let (stdin, tty) = (spec.stdin.unwrap_or(false), spec.tty.unwrap_or(false));
        let started = fs::create_dir_all(&around.dir).and_then(|()| {
            if runs {
                Process::start(launcher, &argv, &around, stdin, tty).map(Some)
            } else {
                Ok(None)
            }
        });
        let now = Timestamp::now();
        let (process, state) = match started {
            Ok(process) => (process, State::Running { since: now }),
            Err(error) => (
                None,
                State::Terminated {
                    since: now,
                    at: now,
                    code: 128,
                    reason: "StartError",
                    message: error.to_string(),
                },
            ),
        };
        let container = |input, terminal, main| {
            Arc::new(Self {
                name: spec.name.clone(),
                image: spec.image.clone().unwrap_or_default(),
                log: Log::default(),
                state: watch::Sender::new(state),
                launcher: Arc::clone(launcher),
                around,
                mark,
                stdin_once: spec.stdin_once.unwrap_or(false),
                input: Mutex::new(input),
                terminal,
                live: broadcast::Sender::new(64),
                main,
                executed: Mutex::default(),
            })
        };
        match process {
            None => container(None, None, None),
            Some(Process {
                input,
                output,
                terminal,
                exit,
                group,
            }) => {
                let container = container(input.filter(|_| stdin), terminal, Some(group));
                tokio::spawn(Arc::clone(&container).follow(output, exit));
                container
            }
        }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(*self.state.borrow(), State::Running { .. })
    }

    /// Runs one more command in it.
    pub(super) fn exec(&self, argv: &[String], stdin: bool, tty: bool) -> io::Result<Session> {
        let Process {
            input,
            output,
            terminal,
            exit,
            group,
        } = Process::start(&self.launcher, argv, &self.around, stdin, tty)?;
        let mut executed = self.executed.lock().unwrap_or_else(PoisonError::into_inner);
        executed.retain(|group| !group.is_empty());
        executed.push(Arc::clone(&group));
        let exit = Box::pin(async move { exit.await.unwrap_or(-1) });
        Ok(Session {
            input,
            output,
            terminal,
            exit,
            group: Some(group),
        })
    }

    /// Joins the streams of its own command, from now on.
    pub(super) fn attach(&self) -> Session {
        let (send, output) = mpsc::channel(16);
        let mut live = self.live.subscribe();
        let mut state = self.state.subscribe();
        tokio::spawn(async move {
            loop {
                let chunk = tokio::select! {
                    biased;
                    chunk = live.recv() => chunk,
                    _ = state.wait_for(|state| matches!(state, State::Terminated { .. })) => return,
                };
                let passed = match chunk {
                    Ok(chunk) => send.send(chunk).await.is_ok(),
                    // A slow reader misses what the log still has.
                    Err(broadcast::error::RecvError::Lagged(_)) => true,
                    Err(broadcast::error::RecvError::Closed) => false,
                };
                if !passed {
                    return;
                }
            }
        });
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let input = if self.stdin_once { input.take() } else { input.clone() };
        let mut state = self.state.subscribe();
        let exit = Box::pin(async move {
            let _ = state.wait_for(|state| matches!(state, State::Terminated { .. })).await;
            0 // An attach succeeds whatever the command's exit code; clients read that from the pod.
        });
        Session {
            input,
            output,
            terminal: self.terminal.clone(),
            exit,
            group: None,
        }
    }

    /// Asks its command to end, and after `grace` leaves it no choice; the same for all that was executed in it.
    pub(super) async fn stop(&self, grace: Duration) {
        if let Some(main) = &self.main {
            main.signal(Signal::SIGTERM);
            let mut state = self.state.subscribe();
            let ended = state.wait_for(|state| matches!(state, State::Terminated { .. }));
            let _ = tokio::time::timeout(grace, ended).await;
            main.signal(Signal::SIGKILL);
        }
        for group in std::mem::take(&mut *self.executed.lock().unwrap_or_else(PoisonError::into_inner)) {
            group.signal(Signal::SIGKILL);
        }
        let mark = self.mark.clone();
        let _ = tokio::task::spawn_blocking(move || kill_marked(MARK, &mark)).await;
        self.terminated(137);
        let _ = fs::remove_dir_all(&self.around.dir);
    }

    async fn follow(
        self: Arc<Self>,
        mut output: mpsc::Receiver<(Stream, Bytes)>,
        mut exit: tokio::task::JoinHandle<i32>,
    ) {
        let mut code = None;
        // Output that is left in the pipes when the command exits still belongs to the log; a child of it that keeps
        // them open for ever does not keep the container alive.
        let patience = Duration::from_millis(500);
        loop {
            tokio::select! {
                chunk = output.recv() => match chunk {
                    Some((stream, chunk)) => {
                        self.log.append(stream, &chunk);
                        let _ = self.live.send((stream, chunk)); // Fails when nobody is attached.
                    }
                    None => break,
                },
                ended = &mut exit, if code.is_none() => code = Some(ended.unwrap_or(-1)),
                () = tokio::time::sleep(patience), if code.is_some() => break,
            }
        }
        let code = match code {
            Some(code) => code,
            None => exit.await.unwrap_or(-1),
        };
        self.terminated(code);
    }

    fn terminated(&self, code: i32) {
        self.log.end();
        let reason = if code == 0 { "Completed" } else { "Error" };
        self.state.send_if_modified(|state| {
            let State::Running { since } = *state else { return false };
            *state = State::Terminated {
                since,
                at: Timestamp::now(),
                code,
                reason,
                message: String::new(),
            };
            true
        });
    }
}

/// Nothing of the environment of the tests: only what a container would see.
fn environment(pod: &core::Pod, spec: &core::Container, dir: &Path, mark: &str) -> BTreeMap<String, String> {
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let host = pod.metadata.name.as_deref().unwrap_or_default();
    let mut env = BTreeMap::from([
        ("PATH".to_owned(), path.to_owned()),
        ("HOME".to_owned(), dir.display().to_string()),
        ("HOSTNAME".to_owned(), host.to_owned()),
    ]);
    let given = spec
        .env
        .iter()
        .flatten()
        .filter_map(|one| Some((one.name.clone(), one.value.clone()?)));
    env.extend(given);
    env.insert(MARK.to_owned(), mark.to_owned());
    env
}
