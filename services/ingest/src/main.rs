//! Telemetry in, and the daily load into the datamart.

mod config;
mod daily_load;
mod days;
mod error;
mod page_token;
mod recording;
mod rpc;
mod run;
mod store;
mod writer;

use std::sync::Arc;

use bionicpro_mesh::config::Basics;
use bionicpro_mesh::kafka::Trouble;
use bionicpro_mesh::server::{Server, shutdown_signal};
use bionicpro_mesh::{clickhouse, config as configuration, telemetry};
use bionicpro_proto::ingest::v1::etl_service_server::{self, EtlServiceServer};
use bionicpro_proto::ingest::v1::telemetry_service_server::{self, TelemetryServiceServer};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::{Command, Config};
use crate::daily_load::DailyLoad;
use crate::rpc::Etl;
use crate::rpc::stopping::Stopping;
use crate::rpc::telemetry::Telemetry;
use crate::store::crm::Crm;
use crate::store::kafka::{self, Log};
use crate::store::operational::Runs;
use crate::store::telemetry::TelemetrySource;
use crate::store::warehouse::Warehouse;

const NAME: &str = "bionicpro-ingest";
/// What needs only Kafka: readings are taken whatever else is away.
const TAKING: &[&str] = &[telemetry_service_server::SERVICE_NAME, ""];
/// What needs the stores: runs, and the program as a whole.
const LOADING: &[&str] = &[etl_service_server::SERVICE_NAME, ""];

fn main() -> anyhow::Result<()> {
    let config = configuration::from_process(Config::read);
    let _telemetry = telemetry::start(NAME, &config.basics.telemetry)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let ended = runtime.block_on(run(config));
    // What leaves the group waits for an insert that ClickHouse does not take, which was waited for.
    runtime.shutdown_background();
    ended
}

async fn run(config: Config) -> anyhow::Result<()> {
    let runs = Runs::new(config.operational_database.clone())?;
    let client = clickhouse::connect(&config.clickhouse);
    let crm = Crm::new(client.clone());
    let warehouse = Warehouse::new(client);
    match config.command {
        Command::Migrate => {
            runs.migrate().await?;
            kafka::create_topic(&config.kafka).await?;
            Ok(warehouse.migrate().await?)
        }
        Command::Serve => serve(config, runs, warehouse, crm).await,
    }
}

async fn serve(config: Config, runs: Runs, warehouse: Warehouse, crm: Crm) -> anyhow::Result<()> {
    let (wake, stop) = (Arc::new(Notify::new()), CancellationToken::new());
    let log = Arc::new(Log::new(&config.kafka, config.fault)?);
    let trouble = Arc::new(Trouble::default());
    let written = warehouse.writer();
    let writer = writer::start(&config.kafka, written, Arc::clone(&trouble), config.fault)?;
    let (broken, writer_ended) = (log.broken(), writer.ended());
    let etl = Etl {
        runs: runs.clone(),
        wake: Arc::clone(&wake),
    };
    let devices = Telemetry {
        log,
        stopping: Stopping::new(stop.clone(), config.basics.drain),
    };
    let server = server(&config.basics, etl, &warehouse, devices, trouble);
    let load = DailyLoad {
        runs,
        source: TelemetrySource::new(config.telemetry_database),
        warehouse,
        crm,
        crm_limit: config.crm_limit,
        rehearsal: config.rehearsal,
        ended: Notify::new(),
    };
    let stopping = stop.clone();
    let working = tokio::spawn(async move { load.work(&wake, &stopping).await });
    // The load stops while calls under way still end.
    let signal = stop.clone();
    let served = server
        .serve(async move {
            tokio::select! {
                () = shutdown_signal() => {}
                () = broken => tracing::error!("readings cannot be taken any more: stopping"),
                () = writer_ended => tracing::error!("readings are not written any more: stopping"),
            }
            signal.cancel();
        })
        .await;
    stop.cancel();
    working.await?;
    let stopped = writer.stop().await;
    served?;
    Ok(stopped?)
}

fn server(
    basics: &Basics,
    etl: Etl,
    warehouse: &Warehouse,
    devices: Telemetry,
    trouble: Arc<Trouble>,
) -> Server {
    let kafka = Arc::clone(&devices.log);
    Server::new(NAME, basics.listen, basics.verifier(NAME))
        .environment(basics.environment)
        .drain(basics.drain)
        .dependency_of(LOADING, "operational-database", etl.runs.readiness())
        .dependency_of(LOADING, "clickhouse", warehouse.readiness())
        .dependency_of(TAKING, "kafka", move || Arc::clone(&kafka).ping())
        .dependency_of(LOADING, "telemetry-writer", move || {
            std::future::ready(trouble.check())
        })
        .add_service(
            TelemetryServiceServer::new(devices)
                .max_decoding_message_size(rpc::telemetry::LARGEST_MESSAGE),
        )
        .add_service(EtlServiceServer::new(etl))
}
