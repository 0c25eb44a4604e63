//! The stack's processes, for faults: they are stopped, frozen and killed for
//! real, through the stack's own supervisor.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::Topology;

/// How long a process may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(60);
const STOP_POLL: Duration = Duration::from_millis(50);
/// How long the supervisor lets a service of ours take before it kills it.
const PATIENCE: Duration = Duration::from_secs(30);

/// One supervised process of the stack.
pub struct Process<'a> {
    stack: &'a Topology,
    name: &'static str,
}

/// A process that is away; it comes back when this is dropped.
#[must_use = "the process comes back at once"]
pub struct Away<'a> {
    process: &'a Process<'a>,
    /// The supervisor's client that passed on the word to stop; it waits for the end.
    told: Option<Child>,
    back: fn(&Process<'_>) -> anyhow::Result<()>,
}

#[derive(Deserialize)]
struct State {
    pid: u32,
    status: String,
    is_ready: String,
    exit_code: i32,
}

impl<'a> Process<'a> {
    /// The process of one part.
    #[must_use]
    pub fn of(stack: &'a Topology, name: &'static str) -> Self {
        Self { stack, name }
    }

    /// Stops the process and waits for its end; connections to it are refused.
    ///
    /// # Errors
    /// When the supervisor does not do it, or the process does not end.
    pub fn stop(&self) -> anyhow::Result<Away<'_>> {
        // The supervisor answers when it has ended.
        self.supervisor(&["stop", self.name])?;
        Ok(self.away_until_started(None))
    }

    /// Tells the process to stop (SIGTERM) and does not wait; the supervisor kills one that takes
    /// too long.
    ///
    /// # Errors
    /// When the supervisor does not do it.
    pub fn terminate(&self) -> anyhow::Result<Away<'_>> {
        let told = self
            .command(&["stop", self.name])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(self.away_until_started(Some(told)))
    }

    fn away_until_started(&self, told: Option<Child>) -> Away<'_> {
        Away {
            process: self,
            told,
            // A start that overtakes the end would be lost.
            back: |process| {
                process.ended()?;
                process.supervisor(&["start", process.name]).map(drop)
            },
        }
    }

    /// Waits for the end of a process that was told to stop; its exit code.
    ///
    /// # Errors
    /// When it does not end.
    pub fn ended(&self) -> anyhow::Result<i32> {
        let began = Instant::now();
        loop {
            let state = self.state()?;
            if state.status == "Completed" {
                return Ok(state.exit_code);
            }
            ensure!(began.elapsed() < STOP_LIMIT, "{} does not end", self.name);
            std::thread::sleep(STOP_POLL);
        }
    }

    /// Freezes the process (SIGSTOP): it takes connections and answers nothing.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn freeze(&self) -> anyhow::Result<Away<'_>> {
        self.signal("STOP")?;
        Ok(Away {
            process: self,
            told: None,
            back: |process| process.signal("CONT"),
        })
    }

    /// Kills the process (SIGKILL); the supervisor starts it again.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.signal("KILL")
    }

    /// Whether the supervisor is there and knows the process, running or not.
    #[must_use]
    pub fn is_supervised(&self) -> bool {
        self.state().is_ok()
    }

    /// Whether it runs, ready or not.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.state().is_ok_and(|state| state.status == "Running")
    }

    /// Whether it runs and is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let state = self.state();
        state.is_ok_and(|state| state.status == "Running" && state.is_ready == "Ready")
    }

    /// Its number, for what the kernel says of it.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn pid(&self) -> anyhow::Result<u32> {
        Ok(self.state()?.pid)
    }

    /// Where a suite keeps what another program in its place logs.
    pub(crate) fn log(&self, what: &str) -> PathBuf {
        let logs = self.stack.directories.state.join("logs");
        logs.join(format!("{}-{what}.log", self.name))
    }

    fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let pid = self.pid()?;
        let mut kill = Command::new("kill");
        kill.args(["-s", signal, &pid.to_string()]);
        // Keycloak's script waits for the program that it started.
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        run(kill.args(children.split_whitespace())).map(drop)
    }

    fn state(&self) -> anyhow::Result<State> {
        let states: Vec<State> =
            serde_json::from_slice(&self.supervisor(&["get", self.name, "-o", "json"])?)?;
        let first = states.into_iter().next();
        first.context("the supervisor knows no such process")
    }

    fn supervisor(&self, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
        run(&mut self.command(arguments))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let directories = &self.stack.directories;
        let program = directories.root.join(".stack/bin/process-compose");
        let mut command = Command::new(program);
        command
            .current_dir(&directories.state)
            .args(["--use-uds", "--unix-socket"])
            .arg(Path::new("supervisor.sock"))
            .arg("process")
            .args(arguments)
            .stdin(Stdio::null());
        command
    }
}

impl Away<'_> {
    /// Kills a process that is frozen: it wakes no more, and the supervisor starts another.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn kill(self) -> anyhow::Result<()> {
        self.process.kill()?;
        std::mem::forget(self);
        Ok(())
    }
}

impl Drop for Away<'_> {
    fn drop(&mut self) {
        // What the word came to, the process itself shows.
        if let Some(told) = &mut self.told {
            let _ = told.wait();
        }
        let back = (self.back)(self.process);
        // Nothing that follows can be right without it; but a second panic would abort.
        if let Err(error) = back
            && !std::thread::panicking()
        {
            panic!("{} did not come back: {error:#}", self.process.name);
        }
    }
}

/// Tells a process that a suite has started to stop (SIGTERM) and waits for its end.
///
/// # Errors
/// When it takes longer than the supervisor would let it.
pub(crate) fn terminate(process: &mut Child) -> anyhow::Result<ExitStatus> {
    run(Command::new("kill").args(["-s", "TERM", &process.id().to_string()]))?;
    let began = Instant::now();
    loop {
        if let Some(status) = process.try_wait()? {
            return Ok(status);
        }
        ensure!(began.elapsed() < PATIENCE, "it does not end by itself");
        std::thread::sleep(STOP_POLL);
    }
}

fn run(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let output = command
        .output()
        .with_context(|| format!("running {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}
