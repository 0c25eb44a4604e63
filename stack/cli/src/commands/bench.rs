//! `cargo stack bench [NAME…]`.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::{parts::Site, supervisor::Supervisor};

pub(super) fn run(site: &Site, names: &[String]) -> Result<ExitCode> {
    Supervisor::new(&site.checkout, &site.topology)?
        .processes()
        .context("benchmarks run against a stack: `cargo stack up` first")?;
    let status = Command::new("cargo")
        .args([
            "run",
            "--release",
            "--locked",
            "--package",
            "bionicpro-benches",
            "--",
        ])
        .args(names)
        .current_dir(site.checkout.root())
        .env("BIONICPRO_TOPOLOGY", site.topology.file())
        .status()
        .context("cargo could not be started")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
