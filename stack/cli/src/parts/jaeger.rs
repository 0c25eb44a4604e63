//! Jaeger, built from its Go module. That takes minutes, so its own process does it while everything
//! else already runs; configured by `observability/jaeger.yaml.j2`.

use std::{fs, process::Command};

use anyhow::Result;

use super::{Part, Site, Stage};
use crate::{
    cache::{Recipe, Workshop},
    exec,
    topology::{Port, Topology},
};

/// Collects traces and metrics.
pub(super) struct Jaeger;

const RECIPE: Recipe = Recipe {
    name: "jaeger",
    manifest: &["jaeger/go.mod", "jaeger/go.sum"],
    revision: 1,
    build,
};

impl Part for Jaeger {
    fn name(&self) -> &'static str {
        "jaeger"
    }

    fn stage(&self) -> Stage {
        Stage::Stores
    }

    fn ports(&self, topology: &Topology) -> Vec<Port> {
        let jaeger = &topology.jaeger;
        [
            (jaeger.query_port, "jaeger"),
            (jaeger.query_grpc_port, "jaeger over gRPC"),
            (jaeger.otlp_grpc_port, "OTLP over gRPC"),
            (jaeger.otlp_http_port, "OTLP over HTTP"),
            (jaeger.zipkin_port, "zipkin's spans"),
            (jaeger.span_metrics_port, "metrics of spans"),
            (jaeger.metrics_port, "jaeger's metrics"),
            (jaeger.health_port, "jaeger's health"),
        ]
        .map(|(number, purpose)| Port { number, purpose })
        .to_vec()
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(RECIPE)
    }

    fn joins(&self) -> bool {
        true
    }

    fn prepare(&self, site: &Site) -> Result<()> {
        Ok(fs::create_dir_all(site.topology.part_state("jaeger"))?)
    }
}

fn build(workshop: &Workshop<'_>) -> Result<()> {
    (workshop.say)("building jaeger");
    exec::logged(
        Command::new("go")
            .args(["install", "-trimpath", "-ldflags=-s -w", "tool"])
            .env("GOBIN", workshop.into)
            .current_dir(workshop.stack.join("jaeger")),
        &workshop.log,
    )
}
