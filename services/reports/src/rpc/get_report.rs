//! GetReport: the caller's own report. No field names a customer.

use bionicpro_proto::reports::v1::{GetReportRequest, GetReportResponse};
use tonic::Request;

use super::Reports;
use super::decode::{own_customer, selection};
use super::encode::report;
use crate::error::Error;
use crate::report;

pub(super) async fn handle(
    reports: &Reports,
    request: &Request<GetReportRequest>,
) -> Result<GetReportResponse, Error> {
    let customer = own_customer(request)?;
    let selection = selection(request.get_ref().period.as_ref())?;
    let found = report::of(&reports.warehouse, customer, selection).await?;
    Ok(GetReportResponse {
        report: Some(report(found)),
    })
}
