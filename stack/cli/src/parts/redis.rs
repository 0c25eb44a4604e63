//! Redis, from Debian.

use std::fs;

use anyhow::Result;

use super::{Part, Site, Stage};
use crate::topology::{Port, Topology};

/// The session store.
pub(super) struct Redis;

impl Part for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn stage(&self) -> Stage {
        Stage::Stores
    }

    fn ports(&self, topology: &Topology) -> Vec<Port> {
        vec![Port {
            number: topology.redis.port,
            purpose: "redis",
        }]
    }

    fn prepare(&self, site: &Site) -> Result<()> {
        Ok(fs::create_dir_all(&site.topology.redis.data)?)
    }
}
