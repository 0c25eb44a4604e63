//! EtlService, and TelemetryService in a file of its own: decode, ask the domain, encode. No logic.

mod encode;
mod get_run;
mod list_runs;
mod start_run;
pub(crate) mod stopping;
pub(crate) mod telemetry;

use std::sync::Arc;

use bionicpro_proto::ingest::v1::etl_service_server::EtlService;
use bionicpro_proto::ingest::v1::{
    GetRunRequest, GetRunResponse, ListRunsRequest, ListRunsResponse, StartRunRequest,
    StartRunResponse,
};
use tokio::sync::Notify;
use tonic::{Request, Response, Status};

use crate::store::operational::Runs;

/// What the calls need.
pub(crate) struct Etl {
    pub(crate) runs: Runs,
    /// Wakes the daily load for a new run.
    pub(crate) wake: Arc<Notify>,
}

#[tonic::async_trait]
impl EtlService for Etl {
    async fn start_run(
        &self,
        request: Request<StartRunRequest>,
    ) -> Result<Response<StartRunResponse>, Status> {
        Ok(start_run::handle(self, request.into_inner()).await?.into())
    }

    async fn get_run(
        &self,
        request: Request<GetRunRequest>,
    ) -> Result<Response<GetRunResponse>, Status> {
        Ok(get_run::handle(self, &request.into_inner()).await?.into())
    }

    async fn list_runs(
        &self,
        request: Request<ListRunsRequest>,
    ) -> Result<Response<ListRunsResponse>, Status> {
        Ok(list_runs::handle(self, &request.into_inner()).await?.into())
    }
}
