//! Speaks to process-compose, which runs all processes of one stack: starts it
//! in the background, starts and stops processes in it, waits until they are
//! ready. What the processes are stands in the rendered `process.yaml` files.

mod socket;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Signal, kill_process};
use serde::Deserialize;

use crate::{
    cache::short_hash,
    checkout::Checkout,
    exec,
    parts::{Part, tools},
    topology::Topology,
};

const LAUNCH_LIMIT: Duration = Duration::from_secs(20);
/// How long all processes together may take to end.
const DOWN_LIMIT: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(250);
/// A process that had to be started again this often will not become ready.
const RESTARTS_TOLERATED: u32 = 4;

/// The supervisor of one stack.
pub(crate) struct Supervisor {
    program: PathBuf,
    state: PathBuf,
    logs: PathBuf,
}

/// A process as the supervisor sees it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Process {
    /// The part's name.
    pub(crate) name: String,
    /// `Running`, `Disabled`, `Completed`, …
    pub(crate) status: String,
    /// `Ready`, `Not Ready` or `-`.
    pub(crate) is_ready: String,
    /// Whether it runs now.
    pub(crate) is_running: bool,
    /// How often it was started again.
    pub(crate) restarts: u32,
    /// How it ended, where it did.
    pub(crate) exit_code: i32,
    /// Its process id.
    pub(crate) pid: i32,
    /// Since its start, as text.
    pub(crate) system_time: String,
}

impl Process {
    /// Whether the supervisor works at keeping it up, running at this moment or not.
    pub(crate) fn active(&self) -> bool {
        self.is_running
            || matches!(
                self.status.as_str(),
                "Pending" | "Launching" | "Launched" | "Restarting"
            )
    }

    /// Whether it runs and its probe says so.
    pub(crate) fn ready(&self) -> bool {
        self.is_running && self.is_ready == "Ready"
    }
}

impl Supervisor {
    /// The supervisor of `topology`'s stack, running or not.
    ///
    /// # Errors
    /// When the tools' manifest cannot be read.
    pub(crate) fn new(checkout: &Checkout, topology: &Topology) -> Result<Self> {
        Ok(Self {
            program: tools::path(checkout, "process-compose")?,
            state: topology.directories.state.clone(),
            logs: topology.directories.logs.clone(),
        })
    }

    /// Whether it runs.
    ///
    /// # Errors
    /// When that cannot be told.
    pub(crate) fn running(&self) -> Result<bool> {
        Ok(socket::listener(&self.state)?.is_some())
    }

    /// Starts it in the background with no process running. One that runs is
    /// told what has changed; it then stops every process, so it is told
    /// nothing when nothing has.
    ///
    /// # Errors
    /// When it cannot be started or refuses the declarations.
    pub(crate) fn start(&self) -> Result<()> {
        fs::create_dir_all(&self.logs)?;
        let files = self.declarations()?;
        let configs = files.iter().flat_map(|file| [Path::new("--config"), file]);
        if !self.running()? {
            self.launch(configs)?;
        } else if self.outdated()? {
            exec::output(self.command(&["project", "update"]).args(configs))?;
        }
        fs::write(self.declared(), hash(&files)?).map_err(Into::into)
    }

    /// Whether the declarations have changed since they were handed over.
    ///
    /// # Errors
    /// When a declaration cannot be read.
    pub(crate) fn outdated(&self) -> Result<bool> {
        let handed_over = fs::read_to_string(self.declared()).unwrap_or_default();
        Ok(handed_over != hash(&self.declarations()?)?)
    }

    fn launch<'a>(&self, configs: impl Iterator<Item = &'a Path>) -> Result<()> {
        let _ = fs::remove_file(self.state.join(socket::NAME));
        let log = self.logs.join("supervisor.log");
        exec::logged(
            self.command(&[
                "up",
                "--detached",
                "--keep-project",
                "--ordered-shutdown",
                "--disable-dotenv",
            ])
            .args(configs),
            &log,
        )?;
        let deadline = Instant::now() + LAUNCH_LIMIT;
        while !self.running()? {
            if Instant::now() > deadline {
                bail!("the supervisor does not answer:\n{}", exec::log_tail(&log));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Every part's rendered `process.yaml`.
    fn declarations(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.state)? {
            files.push(entry?.path().join("process.yaml"));
        }
        files.retain(|file| file.is_file());
        files.sort();
        Ok(files)
    }

    fn declared(&self) -> PathBuf {
        self.state.join("supervisor.declared")
    }

    /// Starts one process unless it runs.
    ///
    /// # Errors
    /// When the supervisor refuses.
    pub(crate) fn start_process(&self, name: &str) -> Result<()> {
        if self.process(name)?.active() {
            return Ok(());
        }
        exec::output(&mut self.command(&["process", "start", name])).map(drop)
    }

    /// Stops one process, if it runs.
    ///
    /// # Errors
    /// When the supervisor refuses.
    pub(crate) fn stop_process(&self, name: &str) -> Result<()> {
        if !self.process(name)?.active() {
            return Ok(());
        }
        exec::output(&mut self.command(&["process", "stop", name])).map(drop)
    }

    /// Waits until `name` is ready.
    ///
    /// # Errors
    /// When it ends, keeps ending, or is not ready within `limit`; the error
    /// repeats the end of its log.
    pub(crate) fn wait_ready(&self, name: &str, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        let before = self.process(name)?.restarts;
        loop {
            let process = self.process(name)?;
            if process.ready() {
                return Ok(());
            }
            let ended = process.restarts - before;
            if let Some(reason) = hopeless(&process, ended, Instant::now() > deadline, limit) {
                let log = self.logs.join(format!("{name}.log"));
                bail!(
                    "{name} {reason}; the end of {}:\n{}",
                    log.display(),
                    exec::log_tail(&log)
                );
            }
            thread::sleep(POLL);
        }
    }

    /// Runs a process that ends by itself.
    ///
    /// # Errors
    /// When it ends with another status than 0 or not within `limit`; the error
    /// repeats the end of its log.
    pub(crate) fn run_to_end(&self, name: &str, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        exec::output(&mut self.command(&["process", "start", name]))?;
        loop {
            let process = self.process(name)?;
            let ended = !process.is_running
                && matches!(process.status.as_str(), "Completed" | "Error" | "Skipped");
            if ended && process.exit_code == 0 {
                return Ok(());
            }
            if ended || Instant::now() > deadline {
                let log = self.logs.join(format!("{name}.log"));
                bail!(
                    "{name} did not succeed (status {}); the end of {}:\n{}",
                    process.exit_code,
                    log.display(),
                    exec::log_tail(&log)
                );
            }
            thread::sleep(POLL);
        }
    }

    /// Stops all processes in reverse order, then the supervisor itself.
    ///
    /// # Errors
    /// When it does not end.
    pub(crate) fn down(&self) -> Result<()> {
        exec::output(&mut self.command(&["down"]))?;
        let deadline = Instant::now() + DOWN_LIMIT;
        while let Some(supervisor) = socket::listener(&self.state)? {
            if Instant::now() > deadline {
                bail!(
                    "the supervisor (pid {supervisor}) does not end; its log is {}",
                    self.logs.join("supervisor.log").display()
                );
            }
            // With no process to stop it stays, and heeds no other signal. One that
            // does not answer any more is about to end.
            let idle = |processes: Vec<Process>| !processes.iter().any(Process::active);
            if self.processes().is_ok_and(idle) {
                let _ = kill_process(supervisor, Signal::KILL);
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Those of `parts` whose process does not run.
    ///
    /// # Errors
    /// When that cannot be told.
    pub(crate) fn not_running(
        &self,
        parts: &[&'static dyn Part],
    ) -> Result<Vec<&'static dyn Part>> {
        let processes = if self.running()? {
            self.processes()?
        } else {
            Vec::new()
        };
        let runs = |name: &str| {
            processes
                .iter()
                .any(|process| process.name == name && process.is_running)
        };
        let idle = parts.iter().copied().filter(|part| !runs(part.name()));
        Ok(idle.collect())
    }

    /// All processes that are declared.
    ///
    /// # Errors
    /// When the supervisor does not run.
    pub(crate) fn processes(&self) -> Result<Vec<Process>> {
        if !self.running()? {
            bail!("the stack is not up");
        }
        let list = exec::output(&mut self.command(&["process", "list", "--output", "json"]))?;
        serde_json::from_str(&list).context("the supervisor's list of processes is not as expected")
    }

    /// The process called `name`.
    ///
    /// # Errors
    /// When the supervisor does not run or does not know it.
    pub(crate) fn process(&self, name: &str) -> Result<Process> {
        self.processes()?
            .into_iter()
            .find(|process| process.name == name)
            .with_context(|| format!("the supervisor knows no process {name:?}"))
    }

    fn command(&self, request: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(request)
            .args(["--use-uds", "--unix-socket", socket::NAME])
            .args(["--log-file", "logs/supervisor.log"])
            .current_dir(&self.state)
            .stdin(Stdio::null());
        command
    }
}

fn hash(files: &[PathBuf]) -> Result<String> {
    let contents = files.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;
    Ok(short_hash(contents.iter().map(Vec::as_slice)))
}

fn hopeless(process: &Process, ended: u32, late: bool, limit: Duration) -> Option<String> {
    if ended > RESTARTS_TOLERATED {
        Some(format!(
            "ended {ended} times (last with status {})",
            process.exit_code
        ))
    } else if matches!(process.status.as_str(), "Completed" | "Error" | "Skipped") {
        Some(format!("ended with status {}", process.exit_code))
    } else if late {
        Some(format!("was not ready within {} s", limit.as_secs()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(status: &str) -> Process {
        Process {
            name: "redis".into(),
            status: status.into(),
            is_ready: "Not Ready".into(),
            is_running: true,
            restarts: 0,
            exit_code: 1,
            pid: 1,
            system_time: String::new(),
        }
    }

    #[test]
    fn a_process_that_keeps_ending_is_not_waited_for() {
        let reason = hopeless(&process("Running"), 5, false, POLL);
        assert!(reason.is_some_and(|reason| reason.contains("ended 5 times")));
    }

    #[test]
    fn a_process_that_still_starts_is_waited_for_until_its_time_is_up() {
        assert_eq!(hopeless(&process("Running"), 1, false, POLL), None);
        assert!(hopeless(&process("Running"), 1, true, POLL).is_some());
    }
}
