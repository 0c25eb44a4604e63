//! AuthorizeDownload: where the file of a link lies, for the one whose it is.

use bionicpro_proto::reports::v1::{AuthorizeDownloadRequest, AuthorizeDownloadResponse};
use tonic::Request;

use super::Reports;
use super::decode::own_customer;
use crate::error::Error;
use crate::export::download::authorize;

pub(super) async fn handle(
    reports: &Reports,
    request: &Request<AuthorizeDownloadRequest>,
) -> Result<AuthorizeDownloadResponse, Error> {
    let customer = own_customer(request)?;
    let link = &request.get_ref().path_and_query;
    let (exports, files, keys) = (&reports.exports, &reports.files, &reports.keys);
    Ok(AuthorizeDownloadResponse {
        origin_path_and_query: authorize(exports, files, keys, customer, link).await?,
    })
}
