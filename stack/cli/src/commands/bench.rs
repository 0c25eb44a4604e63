//! `cargo stack bench [NAME…]`.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use super::build;
use crate::{exec, parts::Site, supervisor::Supervisor};

pub(super) fn run(site: &Site, names: &[String]) -> Result<ExitCode> {
    Supervisor::new(&site.checkout, &site.topology)?
        .processes()
        .context("benchmarks run against a stack: `cargo stack up` first")?;
    let built = exec::cargo()
        .args(["build", "--release", "--locked", "--workspace", "--bins"])
        .current_dir(site.checkout.root())
        .status()
        .context("cargo could not be started")?;
    if !built.success() {
        return Ok(ExitCode::FAILURE);
    }
    // The services that it starts lie beside it.
    let program = build::target(site).join("release/bionicpro-benches");
    let status = Command::new(program)
        .args(names)
        .current_dir(site.checkout.root())
        .env("BIONICPRO_TOPOLOGY", site.topology.file())
        .status()
        .context("the benchmarks could not be started")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
