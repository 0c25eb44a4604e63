//! Databases, caches and logs of the topology.

use std::path::PathBuf;

use serde::Serialize;

use super::{Directories, network::Network};
use crate::parts;

/// A name with its development password.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Login {
    /// The user or role.
    pub(crate) user: &'static str,
    /// Its password; for development only.
    pub(crate) password: String,
}

impl Login {
    fn dev(user: &'static str) -> Self {
        Self {
            user,
            password: format!("{user}-dev-password"),
        }
    }
}

/// One Postgres server with four databases.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Postgres {
    /// The host's name for clients.
    pub(crate) host: &'static str,
    /// The TCP port.
    pub(crate) port: u16,
    /// The superuser.
    pub(crate) superuser: Login,
    /// Prefix of a command that has to run as the server's own user.
    pub(crate) run_as: &'static str,
    /// Where Debian puts the server's programs.
    pub(crate) binaries: &'static str,
    /// Databases, each named like its owner.
    pub(crate) databases: Databases,
    /// Reads the CRM's write-ahead log and tables.
    pub(crate) debezium: Login,
    /// Reads telemetry, nothing else.
    pub(crate) ingest_reader: Login,
    /// The address by which ingest reads telemetry.
    pub(crate) telemetry_reader_url: String,
}

/// The databases of the server.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Databases {
    /// The CRM: somebody else's system.
    pub(crate) crm: Database,
    /// The prostheses' readings: somebody else's system.
    pub(crate) telemetry: Database,
    /// What our services keep.
    pub(crate) bionicpro: Database,
    /// Keycloak's.
    pub(crate) keycloak: Database,
}

/// A database and the role that owns it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Database {
    /// The database's name.
    pub(crate) name: &'static str,
    /// Its owner.
    #[serde(flatten)]
    pub(crate) owner: Login,
    /// The owner's address of it.
    pub(crate) url: String,
}

impl Postgres {
    pub(super) fn new(network: Network, port: u16) -> Self {
        let address = network.address("postgres", port);
        let url = |login: &Login, database: &str| {
            format!(
                "postgres://{}:{}@{address}/{database}",
                login.user, login.password
            )
        };
        let database = |name| {
            let owner = Login::dev(name);
            Database {
                name,
                url: url(&owner, name),
                owner,
            }
        };
        let ingest_reader = Login::dev("ingest_reader");
        Self {
            host: network.host("postgres"),
            port,
            superuser: Login::dev("postgres"),
            run_as: parts::postgres::run_as(),
            binaries: parts::postgres::BINARIES,
            databases: Databases {
                crm: database("crm"),
                telemetry: database("telemetry"),
                bionicpro: database("bionicpro"),
                keycloak: database("keycloak"),
            },
            debezium: Login::dev("debezium"),
            telemetry_reader_url: url(&ingest_reader, "telemetry"),
            ingest_reader,
        }
    }

    /// The database called `name`.
    pub(crate) fn database(&self, name: &str) -> Option<&Database> {
        let Databases {
            crm,
            telemetry,
            bionicpro,
            keycloak,
        } = &self.databases;
        [crm, telemetry, bionicpro, keycloak]
            .into_iter()
            .find(|database| database.name == name)
    }
}

/// The session store.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Redis {
    /// Where its data lies.
    pub(crate) data: PathBuf,
    /// The TCP port.
    pub(crate) port: u16,
    /// The address for clients.
    pub(crate) url: String,
}

impl Redis {
    pub(super) fn new(network: Network, directories: &Directories, port: u16) -> Self {
        Self {
            data: directories.data("redis", "/data"),
            port,
            url: format!("redis://{}/", network.address("redis", port)),
        }
    }
}

/// The analytical store.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClickHouse {
    /// Where its data lies.
    pub(crate) data: PathBuf,
    /// The host's name for clients.
    pub(crate) host: &'static str,
    /// The HTTP port.
    pub(crate) http_port: u16,
    /// The native protocol's port.
    pub(crate) native_port: u16,
    /// The HTTP address.
    pub(crate) url: String,
    /// The database that our services share.
    pub(crate) database: &'static str,
    /// The database of the benchmarks, which make and drop it.
    pub(crate) bench_database: &'static str,
    /// Where its own spans pass through on their way to Jaeger.
    pub(crate) spans_database: &'static str,
    /// Makes databases.
    pub(crate) administrator: Login,
    /// Writes the CRM's copy.
    pub(crate) cdc: Login,
    /// Writes telemetry and the datamart.
    pub(crate) ingest: Login,
    /// Reads.
    pub(crate) reports: Login,
}

impl ClickHouse {
    pub(super) fn new(
        network: Network,
        directories: &Directories,
        http_port: u16,
        native_port: u16,
    ) -> Self {
        Self {
            data: directories.data("clickhouse", "/var/lib/clickhouse"),
            host: network.host("clickhouse"),
            http_port,
            native_port,
            url: format!("http://{}", network.address("clickhouse", http_port)),
            database: "bionicpro",
            bench_database: "bionicpro_bench",
            spans_database: "spans",
            administrator: Login::dev("administrator"),
            cdc: Login::dev("cdc"),
            ingest: Login::dev("ingest"),
            reports: Login::dev("reports"),
        }
    }
}

/// The log of changes.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Kafka {
    /// The brokers' port.
    pub(crate) port: u16,
    /// Where its data lies.
    pub(crate) data: PathBuf,
    /// The port for clients outside of the containers, where there are any.
    pub(crate) external_port: Option<u16>,
    /// The controller's port.
    pub(crate) controller_port: u16,
    /// The host's name for clients.
    pub(crate) host: &'static str,
    /// Bootstrap servers.
    pub(crate) brokers: String,
}

impl Kafka {
    pub(super) fn new(
        network: Network,
        directories: &Directories,
        port: u16,
        controller_port: u16,
    ) -> Self {
        Self {
            data: directories.data("kafka", "/var/lib/kafka"),
            external_port: (!network.is_loopback()).then_some(29092),
            port,
            controller_port,
            host: network.host("kafka"),
            brokers: network.address("kafka", port),
        }
    }
}

/// Kafka Connect, where Debezium runs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Connect {
    /// The host's name for clients.
    pub(crate) host: &'static str,
    /// The REST port.
    pub(crate) port: u16,
    /// The REST address.
    pub(crate) url: String,
    /// The connector's name.
    pub(crate) connector: &'static str,
    /// The replication slot and the publication.
    pub(crate) slot: &'static str,
    /// The topic in which Connect keeps the positions of its sources.
    pub(crate) offsets_topic: &'static str,
}

impl Connect {
    pub(super) fn new(network: Network, port: u16) -> Self {
        Self {
            host: network.host("debezium"),
            port,
            url: format!("http://{}", network.address("debezium", port)),
            connector: "crm",
            slot: "bionicpro_crm",
            offsets_topic: "connect.offsets",
        }
    }
}
