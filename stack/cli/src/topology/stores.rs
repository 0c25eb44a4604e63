//! Databases, caches and logs of the topology.

use serde::Serialize;

use super::HOST;
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
    pub(super) fn new(port: u16) -> Self {
        let url = |login: &Login, database: &str| {
            format!(
                "postgres://{}:{}@{HOST}:{port}/{database}",
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
    /// The TCP port.
    pub(crate) port: u16,
    /// The address for clients.
    pub(crate) url: String,
}

impl Redis {
    pub(super) fn new(port: u16) -> Self {
        Self {
            port,
            url: format!("redis://{HOST}:{port}/"),
        }
    }
}

/// The analytical store.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClickHouse {
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
    /// Writes the CRM's copy.
    pub(crate) cdc: Login,
    /// Writes telemetry and the datamart.
    pub(crate) ingest: Login,
    /// Reads.
    pub(crate) reports: Login,
}

impl ClickHouse {
    pub(super) fn new(http_port: u16, native_port: u16) -> Self {
        Self {
            http_port,
            native_port,
            url: format!("http://{HOST}:{http_port}"),
            database: "bionicpro",
            bench_database: "bionicpro_bench",
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
    /// The controller's port.
    pub(crate) controller_port: u16,
    /// Bootstrap servers.
    pub(crate) brokers: String,
}

impl Kafka {
    pub(super) fn new(port: u16, controller_port: u16) -> Self {
        Self {
            port,
            controller_port,
            brokers: format!("{HOST}:{port}"),
        }
    }
}

/// Kafka Connect, where Debezium runs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Connect {
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
    pub(super) fn new(port: u16) -> Self {
        Self {
            port,
            url: format!("http://{HOST}:{port}"),
            connector: "crm",
            slot: "bionicpro_crm",
            offsets_topic: "connect.offsets",
        }
    }
}
