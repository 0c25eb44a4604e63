//! ClickHouse: the engine as a shared library from npm, run as a server by the
//! host in `stack/clickhouse/host`.

use std::{fs, process::Command};

use anyhow::Result;

use super::{Part, Site, Stage};
use crate::{
    cache::{Recipe, Workshop},
    exec, http,
    topology::{Port, Topology},
};

/// The analytical store.
pub(super) struct ClickHouse;

const RECIPE: Recipe = Recipe {
    name: "clickhouse",
    manifest: &[
        "clickhouse/package.json",
        "clickhouse/package-lock.json",
        "clickhouse/host/Cargo.toml",
        "clickhouse/host/Cargo.lock",
        "clickhouse/host/src/main.rs",
    ],
    revision: 1,
    build,
};

impl Part for ClickHouse {
    fn name(&self) -> &'static str {
        "clickhouse"
    }

    fn stage(&self) -> Stage {
        Stage::Stores
    }

    fn ports(&self, topology: &Topology) -> Vec<Port> {
        vec![
            Port {
                number: topology.clickhouse.http_port,
                purpose: "clickhouse over HTTP",
            },
            Port {
                number: topology.clickhouse.native_port,
                purpose: "clickhouse's native protocol",
            },
        ]
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(RECIPE)
    }

    fn prepare(&self, site: &Site) -> Result<()> {
        Ok(fs::create_dir_all(&site.topology.clickhouse.data)?)
    }

    fn configure(&self, site: &Site) -> Result<()> {
        let clickhouse = &site.topology.clickhouse;
        // Not as `default`, who may not come from another container.
        let administrator = Some(&clickhouse.administrator);
        http::clickhouse(
            &clickhouse.url,
            administrator,
            &format!("CREATE DATABASE IF NOT EXISTS {}", clickhouse.database),
        )?;
        let forwarding = site.topology.part_state("observability");
        let forwarding = fs::read_to_string(forwarding.join("clickhouse-spans.sql"))?;
        for statement in forwarding.split(";\n\n") {
            http::clickhouse(&clickhouse.url, administrator, statement)?;
        }
        Ok(())
    }
}

fn build(workshop: &Workshop<'_>) -> Result<()> {
    (workshop.say)("fetching the engine");
    let folder = workshop.stack.join("clickhouse");
    for file in ["package.json", "package-lock.json"] {
        fs::copy(folder.join(file), workshop.into.join(file))?;
    }
    exec::logged(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(workshop.into),
        &workshop.log,
    )?;
    let package = workshop.into.join("node_modules/@chdb/lib-linux-x64-gnu");
    fs::rename(package.join("libchdb.so"), workshop.into.join("libchdb.so"))?;
    fs::remove_dir_all(workshop.into.join("node_modules"))?;

    (workshop.say)("building its host");
    let target = workshop.into.join("target");
    exec::logged(
        exec::cargo()
            .args(["build", "--release", "--locked", "--manifest-path"])
            .arg(folder.join("host/Cargo.toml"))
            .env("CARGO_TARGET_DIR", &target),
        &workshop.log,
    )?;
    fs::rename(
        target.join("release/clickhouse-host"),
        workshop.into.join("clickhouse-host"),
    )?;
    fs::remove_dir_all(target)?;
    Ok(())
}
