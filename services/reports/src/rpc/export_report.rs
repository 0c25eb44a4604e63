//! ExportReport: a file of the caller's own report. No field names a customer.

use bionicpro_mesh::request::id;
use bionicpro_proto::reports::v1::{ExportReportRequest, ExportReportResponse};
use tonic::Request;

use super::Reports;
use super::decode::{form, own_customer, selection};
use super::encode::export;
use crate::error::Error;
use crate::export::State;
use crate::export::request::{self, Asked};

pub(super) async fn handle(
    reports: &Reports,
    request: &Request<ExportReportRequest>,
) -> Result<ExportReportResponse, Error> {
    let customer = own_customer(request)?;
    let request = request.get_ref();
    let asked = Asked {
        customer,
        request_id: id("request_id", &request.request_id)?,
        selection: selection(request.period.as_ref())?,
        form: form(request.format(), request.language())?,
    };
    let stores = (&reports.exports, &reports.files);
    let found = request::export(&reports.warehouse, stores, &reports.keys, asked).await?;
    if found.state == State::Pending {
        reports.wake.notify_one();
    }
    Ok(ExportReportResponse {
        export: Some(export(&found, &reports.keys)),
    })
}
