//! Prometheus, from Debian; what it asks stands in `observability/prometheus.yml.j2`.

use std::fs;

use anyhow::{Context, Result};
use serde_json::json;

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

/// Tells Prometheus, running or not, which file store it is to ask and where: `job` is what its
/// metrics are called after.
///
/// # Errors
/// When that cannot be written.
pub(super) fn tell_file_store(site: &Site, job: &str, address: &str, path: &str) -> Result<()> {
    let targets = json!([{
        "targets": [address],
        "labels": {"job": job, "__metrics_path__": path},
    }]);
    let file = &site.topology.prometheus.file_store;
    // It looks when a file appears: never at half of one.
    let draft = file.with_extension("new");
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&draft, targets.to_string())
        .and_then(|()| fs::rename(&draft, file))
        .with_context(|| format!("{} cannot be written", file.display()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;
    use crate::{
        checkout::{Checkout, Profile},
        parts::find,
        scratch::Scratch,
    };

    #[test]
    fn the_file_store_that_is_started_is_the_one_that_prometheus_asks() {
        let scratch = Scratch::new("file-store");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let checkout = Checkout::new(root, scratch.path());
        let mut topology =
            Topology::new(&checkout, Profile::Test).expect("the manifests are readable");
        topology.directories.state = scratch.path().to_owned();
        topology.s3.data = scratch.path().join("s3");
        topology.prometheus.file_store = scratch.path().join("prometheus/file-store.json");
        let site = Site { checkout, topology };
        for (part, target, path) in [
            ("s3", "127.0.0.1:19327", "/metrics"),
            ("minio", "127.0.0.1:19000", "/minio/v2/metrics/cluster"),
            ("s3", "127.0.0.1:19327", "/metrics"),
        ] {
            let started = find(part).expect("a part").prepare(&site);
            started.expect("the scratch folder is writable");
            let written = fs::read(&site.topology.prometheus.file_store).expect("readable");
            let asked: Value = serde_json::from_slice(&written).expect("JSON");
            let labels = json!({"job": part, "__metrics_path__": path});
            assert_eq!(asked, json!([{"targets": [target], "labels": labels}]));
        }
    }
}
