//! A program started by hand in the place of a supervised process: as the supervisor starts it, with
//! further arguments, so that a suite can take a safety out.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Command, ExitStatus};

use anyhow::Context;

use crate::processes::{Away, Process, terminate};

/// One that stands in; it is killed when this is dropped, and the process itself comes back.
pub struct StandIn<'a> {
    process: Child,
    _away: Away<'a>,
}

impl<'a> StandIn<'a> {
    /// Stops a process and starts its program with further arguments.
    ///
    /// # Errors
    /// When it does not run, or does not end.
    pub fn of(process: &'a Process<'a>, arguments: &[&str]) -> anyhow::Result<Self> {
        let own = format!("/proc/{}", process.pid()?);
        let command = fs::read(format!("{own}/cmdline"))?;
        let environment = fs::read(format!("{own}/environ"))?;
        let directory = fs::read_link(format!("{own}/cwd"))?;
        let mut words = words(&command);
        let program = words.next().context("a program without a name")?;
        let output = File::create(process.log("stand-in"))?;
        let mut command = Command::new(program);
        command
            .args(words)
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .envs(self::words(&environment).filter_map(pair))
            .stdout(output.try_clone()?)
            .stderr(output);
        let away = process.stop()?;
        Ok(Self {
            process: command.spawn()?,
            _away: away,
        })
    }

    /// Its number, for what the kernel says of it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Tells it to stop (SIGTERM) and waits for its end.
    ///
    /// # Errors
    /// When it does not end in the time that the supervisor gives.
    pub fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        terminate(&mut self.process)
    }
}

impl Drop for StandIn<'_> {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the kernel separates by zeros.
fn words(text: &[u8]) -> impl Iterator<Item = &OsStr> {
    let words = text
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty());
    words.map(OsStr::from_bytes)
}

fn pair(variable: &OsStr) -> Option<(&OsStr, &OsStr)> {
    let bytes = variable.as_bytes();
    let middle = bytes.iter().position(|byte| *byte == b'=')?;
    let (name, value) = bytes.split_at(middle);
    Some((OsStr::from_bytes(name), OsStr::from_bytes(&value[1..])))
}
