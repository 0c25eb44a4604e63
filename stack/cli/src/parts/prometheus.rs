//! Prometheus, from Debian; what it asks stands in `observability/prometheus.yml.j2`.

use std::fs;

use anyhow::Result;

use super::{Part, Site, Stage};
use crate::topology::{Port, Topology};

/// Keeps metrics.
pub(super) struct Prometheus;

impl Part for Prometheus {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn stage(&self) -> Stage {
        Stage::Stores
    }

    fn ports(&self, topology: &Topology) -> Vec<Port> {
        vec![Port {
            number: topology.prometheus.port,
            purpose: "prometheus",
        }]
    }

    fn prepare(&self, site: &Site) -> Result<()> {
        Ok(fs::create_dir_all(&site.topology.prometheus.data)?)
    }
}
