//! ListReports: the caller's own periods that have readings.

use bionicpro_proto::reports::v1::{ListReportsRequest, ListReportsResponse, ReportSummary};
use tonic::Request;

use super::Reports;
use super::decode::{calendar_kind, own_customer};
use super::encode::{period, totals};
use crate::error::Error;
use crate::page_token::PageToken;
use crate::period::Period;

const DEFAULT_PAGE: usize = 30;

pub(super) async fn handle(
    reports: &Reports,
    request: &Request<ListReportsRequest>,
) -> Result<ListReportsResponse, Error> {
    let customer = own_customer(request)?;
    let request = request.get_ref();
    let kind = calendar_kind(request.kind())?;
    let before = match request.page_token.as_str() {
        "" => None,
        token => Some(PageToken::decode(token, kind)?.before),
    };
    let size = match usize::try_from(request.page_size) {
        Ok(size) if size > 0 => size,
        _ => DEFAULT_PAGE,
    };
    // One more than the page tells whether there is a next one.
    let warehouse = &reports.warehouse;
    let mut found = warehouse
        .summaries(customer, kind, before, size + 1)
        .await?;
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|(before, _)| PageToken {
        kind,
        before: *before,
    });
    Ok(ListReportsResponse {
        next_page_token: next.map(PageToken::encode).unwrap_or_default(),
        reports: found
            .into_iter()
            .map(|(starts, numbers)| ReportSummary {
                period: Some(period(Period::around(kind, starts))),
                totals: Some(totals(numbers)),
            })
            .collect(),
    })
}
