//! `GetStatus`: how far the changes have come.

use std::sync::Arc;

use bionicpro_mesh::kafka::Progress;
use bionicpro_proto::cdc::v1::{GetStatusRequest, GetStatusResponse, PartitionStatus};
use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use tokio::task;
use tonic::{Request, Response, Status};

use super::Cdc;
use crate::error::Error;

pub(super) async fn handle(
    cdc: &Cdc,
    _: Request<GetStatusRequest>,
) -> Result<Response<GetStatusResponse>, Status> {
    Ok(Response::new(status(cdc).await?))
}

async fn status(cdc: &Cdc) -> Result<GetStatusResponse, Error> {
    let group = Arc::clone(&cdc.group);
    let (watermark, dead_letters) =
        tokio::try_join!(cdc.store.watermark(&cdc.source), cdc.store.dead_letters())?;
    let progress = task::spawn_blocking(move || group.progress()).await??;
    Ok(GetStatusResponse {
        partitions: progress.into_iter().map(partition).collect(),
        watermark: watermark.map(timestamp),
        dead_letters,
    })
}

fn partition(progress: Progress) -> PartitionStatus {
    PartitionStatus {
        lag: progress.lag(),
        position: progress.applied(),
        topic: progress.topic,
        partition: progress.partition,
        end_offset: progress.end,
        lsn: progress.note.unwrap_or_default(),
    }
}

fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: time.timestamp(),
        // Below a second, so it fits.
        nanos: time.timestamp_subsec_nanos().cast_signed(),
    }
}
