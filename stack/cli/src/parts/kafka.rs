//! Kafka, one node in KRaft mode: jars from Maven, run by the machine's Java.

use std::{fs, process::Command};

use anyhow::Result;

use super::{Part, Site, Stage, maven};
use crate::{
    cache::{Recipe, Workshop},
    exec,
    topology::{Port, Topology},
};

/// The log of changes.
pub(super) struct Kafka;

const RECIPE: Recipe = Recipe {
    name: "kafka",
    manifest: &["kafka/pom.xml"],
    revision: 1,
    build,
};

impl Part for Kafka {
    fn name(&self) -> &'static str {
        "kafka"
    }

    fn stage(&self) -> Stage {
        Stage::Stores
    }

    fn ports(&self, topology: &Topology) -> Vec<Port> {
        vec![
            Port {
                number: topology.kafka.port,
                purpose: "kafka",
            },
            Port {
                number: topology.kafka.controller_port,
                purpose: "kafka's controller",
            },
        ]
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(RECIPE)
    }

    /// Formats the storage, once: a broker refuses a folder without its mark.
    fn prepare(&self, site: &Site) -> Result<()> {
        let state = site.topology.part_state("kafka");
        let data = &site.topology.kafka.data;
        fs::create_dir_all(data)?;
        if data.join("meta.properties").exists() {
            return Ok(());
        }
        let libs = RECIPE.folder(&site.checkout)?.join("libs/*");
        exec::output(
            Command::new("java")
                .args([
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-Xmx128m",
                    "-cp",
                ])
                .arg(libs)
                .args([
                    "kafka.tools.StorageTool",
                    "format",
                    "--standalone",
                    "--ignore-formatted",
                ])
                .args([
                    "--cluster-id",
                    &format!("bionicpro-{}", site.topology.profile.name()),
                    "--config",
                ])
                .arg(state.join("server.properties")),
        )
        .map(drop)
    }
}

fn build(workshop: &Workshop<'_>) -> Result<()> {
    (workshop.say)("fetching its jars");
    maven::run(workshop, "kafka", "dependency:copy-dependencies", "libs")
}
