//! Our own services and the gateway: built by cargo, not provisioned.

use super::{Part, Stage};
use crate::topology::{Port, Topology};

/// Of all our binaries, which are called `bionicpro-` and this.
pub(crate) const NAMES: [&str; 5] = [AUTH.name, REPORTS.name, INGEST.name, CDC.name, GATEWAY.name];

/// Those whose tables are made by a step of their own before they start.
pub(crate) const OWNERS_OF_TABLES: [&str; 3] = [REPORTS.name, INGEST.name, CDC.name];

/// One of our binaries.
pub(super) struct Service {
    name: &'static str,
    stage: Stage,
    ports: fn(&Topology) -> Vec<u16>,
}

pub(super) const AUTH: Service = Service {
    name: "auth",
    stage: Stage::Services,
    ports: |topology| vec![topology.auth.service.port],
};
pub(super) const REPORTS: Service = Service {
    name: "reports",
    stage: Stage::Services,
    ports: |topology| vec![topology.reports.service.port],
};
pub(super) const INGEST: Service = Service {
    name: "ingest",
    stage: Stage::Services,
    ports: |topology| vec![topology.ingest.port],
};
pub(super) const CDC: Service = Service {
    name: "cdc",
    stage: Stage::Services,
    ports: |topology| vec![topology.cdc.port],
};
pub(super) const GATEWAY: Service = Service {
    name: "gateway",
    stage: Stage::Door,
    ports: |topology| vec![topology.gateway.port, topology.gateway.downloads_port],
};

impl Part for Service {
    fn name(&self) -> &'static str {
        self.name
    }

    fn stage(&self) -> Stage {
        self.stage
    }

    fn ports(&self, topology: &Topology) -> Vec<Port> {
        let ports = (self.ports)(topology).into_iter();
        ports
            .map(|number| Port {
                number,
                purpose: self.name,
            })
            .collect()
    }
}
