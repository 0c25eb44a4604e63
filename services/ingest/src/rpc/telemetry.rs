//! TelemetryService: decode, record, encode. No logic.

use std::sync::Arc;

use bionicpro_mesh::status::Reason;
use bionicpro_proto::ingest::v1::telemetry_service_server::TelemetryService;
use bionicpro_proto::ingest::v1::{
    Receipt, RecordBatchRequest, RecordBatchResponse, RecordReadingsRequest,
    RecordReadingsResponse, RejectedReading,
};
use tonic::{Request, Response, Status, Streaming};

use super::stopping::Stopping;
use crate::recording::{self, Recording};
use crate::store::kafka::Log;

/// The most bytes of a message (512 KiB; the contract says so). Decoded it may take 100 times as
/// much: a reading without any field is two bytes long.
pub(crate) const LARGEST_MESSAGE: usize = 512 << 10;

/// What the calls need.
pub(crate) struct Telemetry {
    pub(crate) log: Arc<Log>,
    pub(crate) stopping: Stopping,
}

#[tonic::async_trait]
impl TelemetryService for Telemetry {
    async fn record_readings(
        &self,
        request: Request<Streaming<RecordReadingsRequest>>,
    ) -> Result<Response<RecordReadingsResponse>, Status> {
        let mut messages = request.into_inner();
        let mut recording = Recording::begin(&self.log);
        let recorded = async {
            while let Some(message) = messages.message().await? {
                recording.take(&message.readings).await?;
            }
            Ok::<_, Status>(recording.finish().await?)
        };
        let receipt = Some(receipt(self.stopping.bound(recorded).await?));
        Ok(RecordReadingsResponse { receipt }.into())
    }

    async fn record_batch(
        &self,
        request: Request<RecordBatchRequest>,
    ) -> Result<Response<RecordBatchResponse>, Status> {
        let mut recording = Recording::begin(&self.log);
        recording.take(&request.get_ref().readings).await?;
        let receipt = Some(receipt(recording.finish().await?));
        Ok(RecordBatchResponse { receipt }.into())
    }
}

fn receipt(receipt: recording::Receipt) -> Receipt {
    let rejected = |(index, rejection): (u64, recording::Rejection)| RejectedReading {
        index,
        reason: Reason::InvalidField.into(),
        field: rejection.field.to_owned(),
        problem: rejection.problem.to_owned(),
    };
    Receipt {
        accepted: receipt.accepted,
        duplicates: receipt.duplicates,
        rejected: receipt.rejected,
        rejections: receipt.rejections.into_iter().map(rejected).collect(),
    }
}
