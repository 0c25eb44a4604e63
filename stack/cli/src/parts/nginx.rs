//! nginx, from Debian, as an ordinary process: the CDN of exported files.

use std::fs;

use anyhow::Result;

use super::{Part, Site, Stage};
use crate::topology::{Port, Topology};

/// The CDN.
pub(super) struct Nginx;

impl Part for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn stage(&self) -> Stage {
        Stage::Platforms
    }

    fn ports(&self, topology: &Topology) -> Vec<Port> {
        vec![Port {
            number: topology.nginx.port,
            purpose: "nginx",
        }]
    }

    fn prepare(&self, site: &Site) -> Result<()> {
        Ok(fs::create_dir_all(&site.topology.nginx.data)?)
    }
}
