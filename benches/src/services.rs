//! Our own services as release builds beside this program. They are told what the stack tells its
//! own, but for the benchmarks' places in the stores.

use std::path::PathBuf;
use std::process::Command;

use anyhow::ensure;
use bionicpro_tests::stack;
use bionicpro_tests::topology::Login;

use crate::baselines;
use crate::process::Process;
use crate::schema::Schema;
use crate::system::Port;

/// The share of calls and messages without a trace of their own that is recorded, as the goals
/// assume.
pub(crate) const TRACE_RATIO: &str = "0.1";

/// A setting's variable and its value.
pub(crate) type Setting = (&'static str, String);

/// A service that can be started.
#[derive(Clone)]
pub(crate) struct Service {
    program: PathBuf,
    port: Port,
    settings: Vec<Setting>,
}

impl Service {
    fn new(package: &str, port: Port) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?.with_file_name(package);
        ensure!(
            program.exists(),
            "{package} is not built: run the benchmarks with `cargo stack bench`"
        );
        let settings = basics().into_iter().collect();
        let service = Self {
            program,
            port,
            settings,
        };
        Ok(service.with([("BIONICPRO_LISTEN", port.address().to_string())]))
    }

    /// With further settings, or others.
    pub(crate) fn with(mut self, settings: impl IntoIterator<Item = Setting>) -> Self {
        self.settings.extend(settings);
        self
    }

    /// Brings its tables up to date.
    pub(crate) fn migrate(&self) -> anyhow::Result<()> {
        baselines::run(self.command().arg("migrate"))
    }

    /// Starts it, and waits until it takes connections.
    pub(crate) fn start(&self) -> anyhow::Result<Process> {
        Process::start(self.command().arg("serve"), self.port.address())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// What all of our processes are told.
pub(crate) fn basics() -> [Setting; 3] {
    [
        ("BIONICPRO_ENVIRONMENT", "development".to_owned()),
        ("BIONICPRO_ISSUER", stack().keycloak.issuer.to_string()),
        ("BIONICPRO_TRACE_RATIO", TRACE_RATIO.to_owned()),
    ]
}

/// Sign-in and sessions, with the stack's Redis.
pub(crate) fn auth() -> anyhow::Result<Service> {
    let stack = stack();
    let web = &stack.keycloak.clients.web;
    let service = Service::new("bionicpro-auth", Port::Auth)?;
    Ok(service.with([
        ("BIONICPRO_PUBLIC_URL", stack.gateway.public_url.to_string()),
        ("BIONICPRO_REDIS_URL", stack.redis.url.to_string()),
        ("BIONICPRO_CLIENT_ID", web.id.clone()),
        ("BIONICPRO_CLIENT_SECRET", web.secret.clone()),
        ("BIONICPRO_SESSION_KEYS", stack.auth.session_keys.clone()),
    ]))
}

/// CRM changes, into the benchmarks' ClickHouse database.
pub(crate) fn cdc() -> anyhow::Result<Service> {
    let stack = stack();
    let service = Service::new("bionicpro-cdc", Port::Cdc)?;
    let service = service.with(warehouse(&stack.clickhouse.cdc));
    Ok(service.with([
        ("BIONICPRO_KAFKA_BROKERS", stack.kafka.brokers.clone()),
        (
            "BIONICPRO_CONNECT_OFFSETS_TOPIC",
            stack.connect.offsets_topic.clone(),
        ),
    ]))
}

/// Telemetry and the daily load: readings of the benchmarks' topic and of their schema, into their
/// ClickHouse database, runs in their schema.
pub(crate) fn ingest(
    readings: &Schema,
    runs: &Schema,
    topic: &str,
    group: &str,
) -> anyhow::Result<Service> {
    let stack = stack();
    let service = Service::new("bionicpro-ingest", Port::Ingest)?;
    let service = service.with(warehouse(&stack.clickhouse.ingest));
    let source = readings.seen_by(&stack.postgres.telemetry_reader_url)?;
    Ok(service.with([
        ("BIONICPRO_KAFKA_BROKERS", stack.kafka.brokers.clone()),
        ("BIONICPRO_TELEMETRY_TOPIC", topic.to_owned()),
        ("BIONICPRO_TELEMETRY_GROUP", group.to_owned()),
        ("BIONICPRO_TELEMETRY_DATABASE_URL", source),
        ("BIONICPRO_OPERATIONAL_DATABASE_URL", runs.url()?),
    ]))
}

/// Reports and their files, of the benchmarks' ClickHouse database, with the index in their schema.
/// The files lie in the stack's bucket.
pub(crate) fn reports(index: &Schema) -> anyhow::Result<Service> {
    let (stack, s3) = (stack(), &stack().s3);
    let service = Service::new("bionicpro-reports", Port::Reports)?;
    let service = service.with(warehouse(&stack.clickhouse.reports));
    Ok(service.with([
        ("BIONICPRO_OPERATIONAL_DATABASE_URL", index.url()?),
        ("BIONICPRO_S3_URL", s3.url.to_string()),
        ("BIONICPRO_S3_REGION", s3.region.clone()),
        ("BIONICPRO_S3_BUCKET", s3.bucket.clone()),
        ("BIONICPRO_S3_ACCESS_KEY", s3.access_key.clone()),
        ("BIONICPRO_S3_SECRET_KEY", s3.secret_key.clone()),
        ("BIONICPRO_EXPORT_KEYS", stack.reports.export_keys.clone()),
    ]))
}

fn warehouse(login: &Login) -> [Setting; 4] {
    let clickhouse = &stack().clickhouse;
    [
        ("BIONICPRO_CLICKHOUSE_URL", clickhouse.url.to_string()),
        (
            "BIONICPRO_CLICKHOUSE_DATABASE",
            clickhouse.bench_database.clone(),
        ),
        ("BIONICPRO_CLICKHOUSE_USER", login.user.clone()),
        ("BIONICPRO_CLICKHOUSE_PASSWORD", login.password.clone()),
    ]
}
