//! GetExport: one of the caller's own exports.

use bionicpro_mesh::request::id;
use bionicpro_proto::reports::v1::{GetExportRequest, GetExportResponse};
use tonic::Request;

use super::Reports;
use super::decode::own_customer;
use super::encode::export;
use crate::error::Error;
use crate::export::{ExportId, loss};

pub(super) async fn handle(
    reports: &Reports,
    request: &Request<GetExportRequest>,
) -> Result<GetExportResponse, Error> {
    let customer = own_customer(request)?;
    let id = ExportId(id("export_id", &request.get_ref().export_id)?);
    let found = reports.exports.get(customer, id).await?;
    let found = loss::noticed(&reports.exports, &reports.files, found).await?;
    Ok(GetExportResponse {
        export: Some(export(&found, &reports.keys)),
    })
}
