//! MinIO in the place of SeaweedFS, at the same addresses: what speaks S3 works with either.

use std::{fs, process::Command};

use anyhow::Result;

use super::{Part, Site, Stage, prometheus};
use crate::{
    cache::{Recipe, Workshop},
    exec,
    topology::{Port, Topology},
};

/// The other file store, with its console.
pub(super) struct Minio;

const RECIPE: Recipe = Recipe {
    name: "minio",
    manifest: &["minio/go.mod", "minio/go.sum"],
    revision: 1,
    build,
};

impl Part for Minio {
    fn name(&self) -> &'static str {
        "minio"
    }

    fn stage(&self) -> Stage {
        Stage::Stores
    }

    fn instead_of(&self) -> &'static [&'static str] {
        &["s3", "s3-console"]
    }

    fn ports(&self, topology: &Topology) -> Vec<Port> {
        let s3 = &topology.s3;
        [(s3.port, "S3"), (s3.console_port, "S3's console")]
            .map(|(number, purpose)| Port { number, purpose })
            .into()
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(RECIPE)
    }

    /// A bucket is a folder of the data.
    fn prepare(&self, site: &Site) -> Result<()> {
        const METRICS: &str = "/minio/v2/metrics/cluster";
        let s3 = &site.topology.s3;
        let data = site.topology.part_state("minio").join("data");
        fs::create_dir_all(data.join(s3.bucket))?;
        prometheus::tell_file_store(site, self.name(), &s3.address, METRICS)
    }
}

fn build(workshop: &Workshop<'_>) -> Result<()> {
    (workshop.say)("building MinIO");
    exec::logged(
        Command::new("go")
            .args(["install", "-trimpath", "-ldflags=-s -w", "tool"])
            .env("GOBIN", workshop.into)
            .current_dir(workshop.stack.join("minio")),
        &workshop.log,
    )
}
