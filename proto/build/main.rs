//! Compiles the contracts into messages, servers, clients, the policy table and the checks of
//! field rules. What a contract must have to build is said in `policy` and `validation`.

#![expect(
    clippy::print_stdout,
    reason = "a build script speaks to cargo on its output"
)]

mod contracts;
mod names;
mod policy;
mod services;
mod validation;

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rerun-if-changed=bionicpro");
    let out = PathBuf::from(env::var_os("OUT_DIR").context("OUT_DIR is not set")?);
    let contracts = contracts::compile(Path::new("."))?;
    fs::write(out.join("descriptors.bin"), &contracts.descriptors)?;
    fs::write(out.join("policy.rs"), policy::generate(&contracts.pool)?)?;
    fs::write(
        out.join("validation.rs"),
        validation::generate(&contracts.pool)?,
    )?;
    services::generate(contracts.commented, &out)?;
    Ok(())
}
