//! The databases as psql shows them: what they were seeded with, and a way to
//! run a script.

use std::{
    io::{self, BufWriter, Write},
    process::{ChildStdin, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::plan::Plan;
use crate::{exec, parts::postgres, topology::Topology};

/// One of the external databases.
pub(super) struct Database<'a> {
    topology: &'a Topology,
    name: &'static str,
}

impl<'a> Database<'a> {
    /// The database called `name`.
    pub(super) fn new(topology: &'a Topology, name: &'static str) -> Self {
        Self { topology, name }
    }

    fn psql(&self) -> Command {
        postgres::psql(self.topology, self.name)
    }

    /// The plan that the database was seeded with, if it was.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) fn plan(&self) -> Result<Option<Plan>> {
        let statement = "SELECT seed, customers, days, last_day FROM seed_plan";
        let row = exec::output(self.psql().args([
            "--no-align",
            "--tuples-only",
            "--command",
            statement,
        ]))?;
        match row.trim().split('|').collect::<Vec<_>>()[..] {
            [seed, customers, days, last_day] => Ok(Some(Plan {
                seed: seed.parse()?,
                customers: customers.parse()?,
                days: days.parse()?,
                last_day: last_day.parse()?,
            })),
            _ => Ok(None),
        }
    }

    /// Runs the script that `write` makes, while it is being made.
    ///
    /// # Errors
    /// When psql refuses a line; nothing of the script's transaction stays.
    pub(super) fn run(
        &self,
        write: impl FnOnce(&mut BufWriter<ChildStdin>) -> io::Result<()>,
    ) -> Result<()> {
        let mut psql = self
            .psql()
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("psql could not be started")?;
        let stdin = psql.stdin.take().context("psql has no input")?;
        let mut out = BufWriter::with_capacity(1 << 16, stdin);
        let written = write(&mut out).and_then(|()| out.flush());
        drop(out);
        let output = psql.wait_with_output()?;
        // A refused line closes the pipe: what psql says tells more than the broken pipe.
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("{} refused the seed: {}", self.name, said.trim_end());
        }
        written.with_context(|| format!("{} could not be seeded", self.name))
    }
}
