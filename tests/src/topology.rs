//! The stack's description, as `cargo stack` writes it; of its fields those
//! that the suites need.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

/// A running stack.
#[derive(Debug, Deserialize)]
pub struct Topology {
    /// `dev` or `test`.
    pub profile: String,
    /// Where things lie.
    pub directories: Directories,
    /// The browser's door.
    pub gateway: Gateway,
    /// Sign-in and sessions.
    pub auth: Auth,
    /// Reports.
    pub reports: Reports,
    /// Telemetry and ETL.
    pub ingest: Service,
    /// CRM changes.
    pub cdc: Service,
    /// The databases.
    pub postgres: Postgres,
    /// Where sessions are kept.
    pub redis: Redis,
    /// The analytical store.
    pub clickhouse: ClickHouse,
    /// The log of changes.
    pub kafka: Kafka,
    /// Where Debezium runs.
    pub connect: Connect,
    /// The identity provider.
    pub keycloak: Keycloak,
    /// Where exported files lie.
    pub s3: S3,
    /// Who hands them out.
    pub nginx: Nginx,
    /// Where telemetry goes.
    pub jaeger: Jaeger,
    /// Where metrics are kept.
    pub prometheus: Prometheus,
    /// Who can sign in.
    pub users: Vec<User>,
}

/// Folders of a stack.
#[derive(Debug, Deserialize)]
pub struct Directories {
    /// The checkout.
    pub root: PathBuf,
    /// Rendered files and data.
    pub state: PathBuf,
    /// Our own programs.
    pub binaries: PathBuf,
    /// Logs of all processes.
    pub logs: PathBuf,
}

/// The gateway.
#[derive(Debug, Deserialize)]
pub struct Gateway {
    /// The origin that the browser shows.
    pub public_url: Url,
    /// Where the CDN asks it about downloads, `host:port`.
    pub downloads_address: String,
}

/// A gRPC service.
#[derive(Debug, Deserialize)]
pub struct Service {
    /// Its address.
    pub url: Url,
}

/// The report service.
#[derive(Debug, Deserialize)]
pub struct Reports {
    /// Its address.
    pub url: Url,
    /// The key ring that signs links to exports.
    pub export_keys: String,
}

/// The file store.
#[derive(Debug, Deserialize)]
pub struct S3 {
    /// Its address.
    pub url: Url,
    /// The region that signatures name.
    pub region: String,
    /// The bucket of the exports.
    pub bucket: String,
    /// Who may use it.
    pub access_key: String,
    /// And the password.
    pub secret_key: String,
    /// The port of SeaweedFS' volumes.
    pub volume_port: u16,
    /// The port of SeaweedFS' filer.
    pub filer_port: u16,
}

/// The CDN.
#[derive(Debug, Deserialize)]
pub struct Nginx {
    /// The origin of downloads.
    pub public_url: Url,
    /// Where it listens, `host:port`.
    pub listen: String,
    /// The program.
    pub program: PathBuf,
    /// What it writes: cached and temporary files.
    pub data: PathBuf,
    /// Its access log.
    pub access_log: PathBuf,
}

/// The auth service.
#[derive(Debug, Deserialize)]
pub struct Auth {
    /// Its address.
    pub url: Url,
    /// The key ring that seals sessions.
    pub session_keys: String,
}

/// The session store.
#[derive(Debug, Deserialize)]
pub struct Redis {
    /// Its address.
    pub url: Url,
}

/// The database server.
#[derive(Debug, Deserialize)]
pub struct Postgres {
    /// Its databases.
    pub databases: Databases,
    /// The telemetry store as the daily load reads it, with the password.
    pub telemetry_reader_url: String,
}

/// The databases, each as its owner.
#[derive(Debug, Deserialize)]
pub struct Databases {
    /// The CRM.
    pub crm: Database,
    /// The readings.
    pub telemetry: Database,
    /// Our own.
    pub bionicpro: Database,
}

/// A database.
#[derive(Debug, Deserialize)]
pub struct Database {
    /// Its address, with the owner's password.
    pub url: Url,
}

/// The analytical store.
#[derive(Debug, Deserialize)]
pub struct ClickHouse {
    /// Its HTTP address.
    pub url: Url,
    /// The database of our services.
    pub database: String,
    /// The database of the benchmarks, which make and drop it.
    pub bench_database: String,
    /// Writes the CRM's copy.
    pub cdc: Login,
    /// Writes the readings and the datamart.
    pub ingest: Login,
    /// Reads.
    pub reports: Login,
}

/// A name with its password.
#[derive(Debug, Deserialize)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// The log of changes.
#[derive(Debug, Deserialize)]
pub struct Kafka {
    /// Bootstrap servers.
    pub brokers: String,
}

/// Kafka Connect.
#[derive(Debug, Deserialize)]
pub struct Connect {
    /// Its REST address.
    pub url: Url,
    /// The connector's name.
    pub connector: String,
    /// Where Connect keeps the positions of its sources.
    pub offsets_topic: String,
}

/// The identity provider.
#[derive(Debug, Deserialize)]
pub struct Keycloak {
    /// Its own address.
    pub url: Url,
    /// The realm's address, which is the `iss` of its tokens.
    pub issuer: Url,
    /// Where clients fetch tokens.
    pub token_endpoint: Url,
    /// The administrator of all realms.
    pub admin_user: String,
    /// The administrator's password.
    pub admin_password: String,
    /// The realm's clients.
    pub clients: Clients,
}

/// The realm's clients.
#[derive(Debug, Deserialize)]
pub struct Clients {
    /// Signs people in.
    pub web: Client,
    /// The gateway's own.
    pub gateway: Client,
    /// Internal programs.
    pub internal: Client,
    /// The devices' backend.
    pub devices: Client,
}

/// A confidential client.
#[derive(Debug, Deserialize)]
pub struct Client {
    /// Its name.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

/// Collects traces and metrics.
#[derive(Debug, Deserialize)]
pub struct Jaeger {
    /// The address of its pages and its HTTP API.
    pub url: Url,
    /// The port for OTLP over HTTP.
    pub otlp_http_port: u16,
    /// The port of the metrics that it was sent and made of spans.
    pub span_metrics_port: u16,
}

/// Keeps metrics.
#[derive(Debug, Deserialize)]
pub struct Prometheus {
    /// Its address.
    pub url: Url,
}

/// A person who can sign in.
#[derive(Debug, Deserialize)]
pub struct User {
    /// What is typed.
    pub username: String,
    /// What is typed below it.
    pub password: String,
    /// The customer that a patient is.
    pub customer_id: Option<Uuid>,
}

impl Topology {
    /// Reads the file that `BIONICPRO_TOPOLOGY` names.
    ///
    /// # Errors
    /// When there is none, or it is not a topology.
    pub fn from_environment() -> anyhow::Result<Self> {
        let path = std::env::var_os("BIONICPRO_TOPOLOGY")
            .context("BIONICPRO_TOPOLOGY is not set: run the suites with `cargo stack test`")?;
        let path = Path::new(&path);
        let text = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("parsing {}", path.display()))
    }

    /// One of the people who can sign in.
    ///
    /// # Panics
    /// When the stack does not know them.
    #[must_use]
    pub fn user(&self, username: &str) -> &User {
        self.users
            .iter()
            .find(|user| user.username == username)
            .unwrap_or_else(|| panic!("{username} is not in the topology"))
    }
}
