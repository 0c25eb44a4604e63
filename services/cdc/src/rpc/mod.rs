//! The calls that are answered, one file each: decode, ask, encode.

mod get_status;

use std::sync::Arc;

use bionicpro_mesh::kafka::Group;
use bionicpro_proto::cdc::v1::{
    GetStatusRequest, GetStatusResponse, cdc_service_server::CdcService,
};
use tonic::{Request, Response, Status};

use crate::store::clickhouse::Store;

/// What the calls ask.
#[derive(Clone)]
pub(crate) struct Cdc {
    /// The source that the watermark is of.
    pub(crate) source: String,
    pub(crate) store: Store,
    pub(crate) group: Arc<Group>,
}

#[tonic::async_trait]
impl CdcService for Cdc {
    async fn get_status(
        &self,
        request: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        get_status::handle(self, request).await
    }
}
