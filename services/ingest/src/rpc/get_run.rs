//! GetRun.

use bionicpro_mesh::request::id;
use bionicpro_proto::ingest::v1::{GetRunRequest, GetRunResponse};

use super::Etl;
use super::encode::run;
use crate::error::Error;
use crate::run::RunId;

pub(super) async fn handle(etl: &Etl, request: &GetRunRequest) -> Result<GetRunResponse, Error> {
    let run_id = RunId(id("run_id", &request.run_id)?);
    let found = etl.runs.get(run_id).await?;
    Ok(GetRunResponse {
        run: Some(run(found)),
    })
}
