//! The one description of a stack: hosts, ports, addresses, credentials,
//! users. Templates, services, tests and benchmarks all read it; nothing else
//! knows a port or a password. Values here are for development only.

mod downloads;
mod identity;
mod ports;
mod stores;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

pub(crate) use self::{
    downloads::{Nginx, S3},
    identity::{Client, Keycloak, User},
    ports::{Port, Ports},
    stores::{ClickHouse, Connect, Kafka, Postgres, Redis},
};
use crate::{
    checkout::{Checkout, Profile},
    parts,
};

/// Every part listens on this address only.
pub(crate) const HOST: &str = "127.0.0.1";

/// The whole stack of one profile.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Topology {
    /// Which stack this is.
    pub(crate) profile: Profile,
    /// The address that everything listens on.
    pub(crate) host: &'static str,
    /// Where things lie.
    pub(crate) directories: Directories,
    /// The browser's door.
    pub(crate) gateway: Gateway,
    /// The sign-in and session service.
    pub(crate) auth: Auth,
    /// The report service.
    pub(crate) reports: Reports,
    /// The telemetry and ETL service.
    pub(crate) ingest: Service,
    /// The CRM change consumer.
    pub(crate) cdc: Service,
    /// The databases.
    pub(crate) postgres: Postgres,
    /// The session store.
    pub(crate) redis: Redis,
    /// The identity provider.
    pub(crate) keycloak: Keycloak,
    /// The analytical store.
    pub(crate) clickhouse: ClickHouse,
    /// The log of changes.
    pub(crate) kafka: Kafka,
    /// Where Debezium runs.
    pub(crate) connect: Connect,
    /// Where exported files lie.
    pub(crate) s3: S3,
    /// Who hands them out.
    pub(crate) nginx: Nginx,
    /// Who can sign in.
    pub(crate) users: Vec<User>,
    /// How much is seeded when nothing else is asked for.
    pub(crate) seed: Seed,
}

/// Folders of one stack, absolute.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Directories {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// `.stack/<profile>`: rendered files and data, one folder a part.
    pub(crate) state: PathBuf,
    /// Logs of all processes.
    pub(crate) logs: PathBuf,
    /// The postmaster's data: a folder that its own user can reach.
    pub(crate) postgres_data: PathBuf,
    /// Provisioned parts in the cache.
    pub(crate) parts: std::collections::BTreeMap<&'static str, PathBuf>,
    /// Binaries of our own services: each stack has those that it was started with.
    pub(crate) binaries: PathBuf,
}

/// One of our gRPC services.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Service {
    /// The gRPC port.
    pub(crate) port: u16,
    /// `host:port` to listen on.
    pub(crate) listen: String,
    /// The address for clients.
    pub(crate) url: String,
}

impl Service {
    fn new(port: u16) -> Self {
        Self {
            port,
            listen: format!("{HOST}:{port}"),
            url: format!("http://{HOST}:{port}"),
        }
    }
}

/// The auth service: a service with the keys that seal sessions.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Auth {
    /// Where it listens.
    #[serde(flatten)]
    pub(crate) service: Service,
    /// Key ring, `id:base64` of 32 bytes; the first seals.
    pub(crate) session_keys: String,
}

/// The report service: a service with the keys that sign links to exports.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Reports {
    /// Where it listens.
    #[serde(flatten)]
    pub(crate) service: Service,
    /// Key ring, `id:base64` of 32 bytes; the first signs.
    pub(crate) export_keys: String,
}

/// The gateway: the only address that a browser needs besides Keycloak's.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Gateway {
    /// The HTTP port.
    pub(crate) port: u16,
    /// `host:port` to listen on.
    pub(crate) listen: String,
    /// The port at which the CDN asks whether a browser may download.
    pub(crate) downloads_port: u16,
    /// `host:port` at which the CDN asks whether a browser may download.
    pub(crate) downloads_listen: String,
    /// The origin that the browser shows.
    pub(crate) public_url: String,
    /// The app as it was when the stack came up.
    pub(crate) app_dir: PathBuf,
    /// How many sign-ins one address may begin: all browsers of a test suite
    /// come from one.
    pub(crate) sign_ins_per_minute: u32,
}

/// Size of the seeded world.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Seed {
    /// Customers in the CRM.
    pub(crate) customers: u32,
    /// Days of readings up to yesterday.
    pub(crate) days: u32,
}

impl Topology {
    /// Describes the stack of `profile` in `checkout`.
    ///
    /// # Errors
    /// When a manifest of a part cannot be read: its hash is part of a path.
    pub(crate) fn new(checkout: &Checkout, profile: Profile) -> Result<Self> {
        let ports = Ports::of(profile);
        let public_url = format!("http://localhost:{}", ports.gateway);
        Ok(Self {
            profile,
            host: HOST,
            directories: Directories::new(checkout, profile)?,
            gateway: Gateway {
                port: ports.gateway,
                listen: format!("{HOST}:{}", ports.gateway),
                downloads_port: ports.gateway_downloads,
                downloads_listen: format!("{HOST}:{}", ports.gateway_downloads),
                app_dir: checkout.profile(profile).join("app"),
                sign_ins_per_minute: match profile {
                    Profile::Dev => 60,
                    Profile::Test => 6000,
                },
                public_url,
            },
            auth: Auth {
                service: Service::new(ports.auth),
                // base64 of "bionicpro-development-key-32-by!"
                session_keys: "dev1:YmlvbmljcHJvLWRldmVsb3BtZW50LWtleS0zMi1ieSE=".to_owned(),
            },
            reports: Reports {
                service: Service::new(ports.reports),
                // base64 of "bionicpro-development-export-key"
                export_keys: "dev1:YmlvbmljcHJvLWRldmVsb3BtZW50LWV4cG9ydC1rZXk=".to_owned(),
            },
            ingest: Service::new(ports.ingest),
            cdc: Service::new(ports.cdc),
            postgres: Postgres::new(ports.postgres),
            redis: Redis::new(ports.redis),
            keycloak: Keycloak::new(ports.keycloak, ports.keycloak_management),
            clickhouse: ClickHouse::new(ports.clickhouse_http, ports.clickhouse_native),
            kafka: Kafka::new(ports.kafka, ports.kafka_controller),
            connect: Connect::new(ports.connect),
            s3: S3::new(&ports),
            nginx: Nginx::new(ports.nginx),
            users: identity::users(),
            seed: match profile {
                Profile::Dev => Seed {
                    customers: 200,
                    days: 30,
                },
                Profile::Test => Seed {
                    customers: 40,
                    days: 30,
                },
            },
        })
    }

    /// `.stack/<profile>/topology.json`.
    pub(crate) fn file(&self) -> PathBuf {
        self.directories.state.join("topology.json")
    }

    /// Writes `topology.json`.
    ///
    /// # Errors
    /// When the state folder cannot be written.
    pub(crate) fn write(&self) -> Result<()> {
        let file = self.file();
        fs::create_dir_all(&self.directories.state)?;
        fs::write(&file, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| format!("{} cannot be written", file.display()))
    }

    /// The folder of a part's rendered files and data.
    pub(crate) fn part_state(&self, part: &str) -> PathBuf {
        self.directories.state.join(part)
    }

    /// The log that the supervisor writes for a process.
    pub(crate) fn log(&self, process: &str) -> PathBuf {
        self.directories.logs.join(format!("{process}.log"))
    }
}

impl Directories {
    fn new(checkout: &Checkout, profile: Profile) -> Result<Self> {
        let state = checkout.profile(profile);
        let parts = parts::recipes()
            .map(|recipe| Ok((recipe.name, recipe.folder(checkout)?)))
            .collect::<Result<_>>()?;
        Ok(Self {
            root: checkout.root().to_owned(),
            logs: state.join("logs"),
            postgres_data: parts::postgres::data_folder(checkout, profile),
            parts,
            binaries: state.join("bin"),
            state,
        })
    }
}
