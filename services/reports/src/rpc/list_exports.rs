//! ListExports: the caller's own exports, newest first.

use bionicpro_proto::reports::v1::{ListExportsRequest, ListExportsResponse};
use tonic::Request;

use super::Reports;
use super::decode::own_customer;
use super::encode::export;
use crate::error::Error;
use crate::export_page::ExportPage;

const DEFAULT_PAGE: usize = 30;

pub(super) async fn handle(
    reports: &Reports,
    request: &Request<ListExportsRequest>,
) -> Result<ListExportsResponse, Error> {
    let customer = own_customer(request)?;
    let request = request.get_ref();
    let after = match request.page_token.as_str() {
        "" => None,
        token => Some(ExportPage::decode(token)?),
    };
    let size = match usize::try_from(request.page_size) {
        Ok(size) if size > 0 => size,
        _ => DEFAULT_PAGE,
    };
    // One more than the page tells whether there is a next one.
    let mut found = reports.exports.list(customer, after, size + 1).await?;
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(ExportPage::behind);
    Ok(ListExportsResponse {
        next_page_token: next.map(ExportPage::encode).unwrap_or_default(),
        exports: found.iter().map(|it| export(it, &reports.keys)).collect(),
    })
}
