//! The one description of a stack: hosts, ports, addresses, credentials,
//! users. Templates, services, tests and benchmarks all read it; nothing else
//! knows a port or a password. Values here are for development only.

mod downloads;
mod identity;
mod network;
mod observability;
mod ports;
mod stores;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::Serialize;

use self::network::Network;
pub(crate) use self::{
    downloads::{Nginx, S3},
    identity::{Client, Keycloak, User},
    observability::{Grafana, Jaeger, Prometheus},
    ports::{Port, Ports},
    stores::{ClickHouse, Connect, Kafka, Login, Postgres, Redis},
};
use crate::{
    checkout::{Checkout, Profile},
    parts,
};

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
    /// Those of our services whose tables are made before they start.
    pub(crate) owners_of_tables: [&'static str; 3],
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
    /// Where telemetry goes.
    pub(crate) jaeger: Jaeger,
    /// Where metrics are kept.
    pub(crate) prometheus: Prometheus,
    /// Where they are shown.
    pub(crate) grafana: Grafana,
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
    /// This program, for processes that provision themselves.
    pub(crate) cli: PathBuf,
    /// Where it provisions to.
    pub(crate) cache: PathBuf,
    /// `.stack/<profile>`: rendered files and data, one folder a part.
    pub(crate) state: PathBuf,
    /// Logs of all processes.
    pub(crate) logs: PathBuf,
    /// The postmaster's data: a folder that its own user can reach.
    pub(crate) postgres_data: PathBuf,
    /// Provisioned parts in the cache.
    pub(crate) parts: std::collections::BTreeMap<&'static str, PathBuf>,
    /// The built app: each stack has the one that it was started with.
    pub(crate) app: PathBuf,
    /// Binaries of our own services: each stack has those that it was started with.
    pub(crate) binaries: PathBuf,
    /// Whether all of this lies in containers.
    containers: bool,
}

/// One of our gRPC services.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Service {
    /// The gRPC port.
    pub(crate) port: u16,
    /// `host:port` to listen on.
    pub(crate) listen: String,
    /// `host:port` for clients.
    pub(crate) address: String,
    /// The address for clients.
    pub(crate) url: String,
}

impl Service {
    fn new(network: Network, name: &'static str, port: u16) -> Self {
        let address = network.address(name, port);
        Self {
            port,
            listen: network.listen_at(port),
            url: format!("http://{address}"),
            address,
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
    /// `host:port` to listen on for the CDN's question whether a browser may download.
    pub(crate) downloads_listen: String,
    /// `host:port` at which the CDN asks it.
    pub(crate) downloads_address: String,
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
        let network = Network::of(profile);
        let directories = Directories::new(checkout, profile)?;
        let public_url = format!("http://localhost:{}", ports.gateway);
        Ok(Self {
            profile,
            host: network.listen(),
            gateway: Gateway {
                port: ports.gateway,
                listen: network.listen_at(ports.gateway),
                downloads_port: ports.gateway_downloads,
                downloads_listen: network.listen_at(ports.gateway_downloads),
                downloads_address: network.address("gateway", ports.gateway_downloads),
                app_dir: directories.app.clone(),
                sign_ins_per_minute: match profile {
                    Profile::Dev | Profile::Compose => 60,
                    Profile::Test => 6000,
                },
                public_url,
            },
            auth: Auth {
                service: Service::new(network, "auth", ports.auth),
                // base64 of "bionicpro-development-key-32-by!"
                session_keys: "dev1:YmlvbmljcHJvLWRldmVsb3BtZW50LWtleS0zMi1ieSE=".to_owned(),
            },
            reports: Reports {
                service: Service::new(network, "reports", ports.reports),
                // base64 of "bionicpro-development-export-key"
                export_keys: "dev1:YmlvbmljcHJvLWRldmVsb3BtZW50LWV4cG9ydC1rZXk=".to_owned(),
            },
            ingest: Service::new(network, "ingest", ports.ingest),
            cdc: Service::new(network, "cdc", ports.cdc),
            owners_of_tables: parts::services::OWNERS_OF_TABLES,
            postgres: Postgres::new(network, ports.postgres),
            redis: Redis::new(network, &directories, ports.redis),
            keycloak: Keycloak::new(network, ports.keycloak, ports.keycloak_management),
            clickhouse: ClickHouse::new(
                network,
                &directories,
                ports.clickhouse_http,
                ports.clickhouse_native,
            ),
            kafka: Kafka::new(network, &directories, ports.kafka, ports.kafka_controller),
            connect: Connect::new(network, ports.connect),
            s3: S3::new(network, &directories, &ports),
            nginx: Nginx::new(network, &directories, ports.nginx),
            jaeger: Jaeger::new(network, &ports, profile),
            prometheus: Prometheus::new(network, &directories, &ports),
            grafana: Grafana::new(&ports),
            directories,
            users: identity::users(),
            seed: match profile {
                Profile::Dev | Profile::Compose => Seed {
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
        if profile == Profile::Compose {
            return Ok(Self::in_containers());
        }
        let state = checkout.profile(profile);
        let parts = parts::recipes()
            .map(|recipe| Ok((recipe.name, recipe.folder(checkout)?)))
            .collect::<Result<_>>()?;
        Ok(Self {
            root: checkout.root().to_owned(),
            cli: checkout.cli(),
            cache: checkout.cache().to_owned(),
            logs: state.join("logs"),
            postgres_data: parts::postgres::data_folder(checkout, profile),
            parts,
            app: state.join("app"),
            binaries: state.join("bin"),
            state,
            containers: false,
        })
    }

    /// Where a part keeps its data: in a container, where its image expects it.
    fn data(&self, part: &str, in_its_image: &str) -> PathBuf {
        if self.containers {
            in_its_image.into()
        } else {
            self.state.join(part).join("data")
        }
    }

    /// Where the images have things, and `docker-compose.yaml` puts the rest.
    fn in_containers() -> Self {
        let parts = parts::recipes()
            .map(|recipe| (recipe.name, Path::new("/opt/bionicpro").join(recipe.name)))
            .collect();
        Self {
            root: "/bionicpro".into(),
            cli: "/usr/local/bin/bionicpro-stack".into(),
            cache: "/nonexistent".into(),
            state: "/stack".into(),
            containers: true,
            logs: "/dev".into(),
            postgres_data: "/var/lib/postgresql/data".into(),
            parts,
            app: "/opt/bionicpro/app".into(),
            binaries: "/usr/local/bin".into(),
        }
    }
}
