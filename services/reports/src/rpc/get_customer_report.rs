//! GetCustomerReport: any customer's report, for services.

use bionicpro_mesh::request::id;
use bionicpro_proto::reports::v1::{GetCustomerReportRequest, GetCustomerReportResponse};

use super::Reports;
use super::decode::selection;
use super::encode::report;
use crate::error::Error;
use crate::report::{self, CustomerId};

pub(super) async fn handle(
    reports: &Reports,
    request: &GetCustomerReportRequest,
) -> Result<GetCustomerReportResponse, Error> {
    let customer = CustomerId(id("customer_id", &request.customer_id)?);
    let selection = selection(request.period.as_ref())?;
    let found = report::of(&reports.warehouse, customer, selection).await?;
    Ok(GetCustomerReportResponse {
        report: Some(report(found)),
    })
}
