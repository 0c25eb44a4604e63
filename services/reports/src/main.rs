//! Reports on prostheses: reads the datamart, the CRM's facts and the watermarks; makes files of
//! reports and says who may download them.

mod config;
mod error;
mod export;
mod export_page;
mod freshness;
mod page_token;
mod period;
mod report;
mod rpc;
mod store;

use std::sync::Arc;

use bionicpro_mesh::server::{Server, shutdown_signal};
use bionicpro_mesh::{clickhouse, config as configuration, telemetry};
use bionicpro_proto::reports::v1::reports_service_server::ReportsServiceServer;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::{Command, Config};
use crate::export::worker::Worker;
use crate::rpc::Reports;
use crate::store::{Exports, Files, Warehouse};

const NAME: &str = "bionicpro-reports";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = configuration::from_process(Config::read);
    let _telemetry = telemetry::start(NAME, &config.basics.telemetry)?;
    let exports = Exports::new(config.operational_database.clone())?;
    match config.command {
        Command::Migrate => Ok(exports.migrate().await?),
        Command::Serve => serve(config, exports).await,
    }
}

async fn serve(config: Config, exports: Exports) -> anyhow::Result<()> {
    let warehouse = Warehouse::new(&clickhouse::connect(&config.clickhouse));
    let files = Files::new(&config.files)?;
    let wake = Arc::new(Notify::new());
    let stop = CancellationToken::new();
    let worker = Worker {
        exports: exports.clone(),
        files: files.clone(),
        rehearsal: config.rehearsal,
    };
    let server = Server::new(NAME, config.basics.listen, config.basics.verifier(NAME))
        .environment(config.basics.environment)
        .drain(config.basics.drain)
        .dependency("clickhouse", warehouse.readiness())
        .dependency("operational-database", exports.readiness())
        .add_service(ReportsServiceServer::new(Reports {
            warehouse,
            exports,
            files,
            keys: config.keys,
            wake: wake.clone(),
        }));
    let stopping = stop.clone();
    let working = tokio::spawn(async move { worker.work(&wake, &stopping).await });
    // What is being made stops while calls under way still end: another process makes it.
    let signal = stop.clone();
    let served = server
        .serve(async move {
            shutdown_signal().await;
            signal.cancel();
        })
        .await;
    stop.cancel();
    working.await?;
    Ok(served?)
}
