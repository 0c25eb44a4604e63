//! The stack's processes, for faults: they are stopped, frozen and killed for
//! real, through the stack's own supervisor.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::Topology;

/// How long a process may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(60);
const STOP_POLL: Duration = Duration::from_millis(50);

/// One supervised process of the stack.
pub struct Process<'a> {
    stack: &'a Topology,
    name: &'static str,
}

/// A process that is away; it comes back when this is dropped.
#[must_use = "the process comes back at once"]
pub struct Away<'a> {
    process: &'a Process<'a>,
    back: fn(&Process<'_>) -> anyhow::Result<()>,
}

#[derive(Deserialize)]
struct State {
    pid: u32,
    status: String,
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
        self.supervisor(&["stop", self.name])?;
        // The supervisor does not wait, and a start that overtakes the end is lost.
        let began = Instant::now();
        while self.state()?.status != "Completed" {
            ensure!(began.elapsed() < STOP_LIMIT, "{} does not end", self.name);
            std::thread::sleep(STOP_POLL);
        }
        Ok(Away {
            process: self,
            back: |process| process.supervisor(&["start", process.name]).map(drop),
        })
    }

    /// Freezes the process (SIGSTOP): it takes connections and answers nothing.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn freeze(&self) -> anyhow::Result<Away<'_>> {
        self.signal("STOP")?;
        Ok(Away {
            process: self,
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

    /// Its number, for what the kernel says of it.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn pid(&self) -> anyhow::Result<u32> {
        Ok(self.state()?.pid)
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
        let directories = &self.stack.directories;
        let program = directories.root.join(".stack/bin/process-compose");
        run(Command::new(program)
            .current_dir(&directories.state)
            .args(["--use-uds", "--unix-socket"])
            .arg(Path::new("supervisor.sock"))
            .arg("process")
            .args(arguments))
    }
}

impl Drop for Away<'_> {
    fn drop(&mut self) {
        let back = (self.back)(self.process);
        // Nothing that follows can be right without it; but a second panic would abort.
        if let Err(error) = back
            && !std::thread::panicking()
        {
            panic!("{} did not come back: {error:#}", self.process.name);
        }
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
