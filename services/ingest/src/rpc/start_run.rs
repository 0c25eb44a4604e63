//! StartRun.

use bionicpro_mesh::request::id;
use bionicpro_proto::ingest::v1::{StartRunRequest, StartRunResponse};
use chrono::Utc;

use super::Etl;
use super::encode::run;
use crate::days::Days;
use crate::error::Error;

pub(super) async fn handle(etl: &Etl, request: StartRunRequest) -> Result<StartRunResponse, Error> {
    let request_id = id("request_id", &request.request_id)?;
    let days = Days::parse(
        &request.start_day,
        &request.end_day,
        Utc::now().date_naive(),
    )?;
    let started = etl.runs.start(request_id, days).await?;
    etl.wake.notify_one();
    Ok(StartRunResponse {
        run: Some(run(started)),
    })
}
