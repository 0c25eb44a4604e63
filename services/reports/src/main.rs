//! Reports on prostheses: reads the datamart, the CRM's facts and the watermarks, writes nothing.

mod config;
mod error;
mod freshness;
mod page_token;
mod period;
mod report;
mod rpc;
mod store;

use bionicpro_mesh::server::{Server, shutdown_signal};
use bionicpro_mesh::{clickhouse, config as configuration, telemetry};
use bionicpro_proto::reports::v1::reports_service_server::ReportsServiceServer;

use crate::config::Config;
use crate::rpc::Reports;
use crate::store::Warehouse;

const NAME: &str = "bionicpro-reports";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = configuration::from_process(Config::read);
    let _telemetry = telemetry::start(NAME, &config.basics.telemetry)?;
    let warehouse = Warehouse::new(&clickhouse::connect(&config.clickhouse));
    Server::new(NAME, config.basics.listen, config.basics.verifier(NAME))
        .environment(config.basics.environment)
        .dependency("clickhouse", warehouse.readiness())
        .add_service(ReportsServiceServer::new(Reports { warehouse }))
        .serve(shutdown_signal())
        .await?;
    Ok(())
}
