//! ListRuns.

use bionicpro_proto::ingest::v1::{ListRunsRequest, ListRunsResponse};

use super::Etl;
use super::encode::run;
use crate::error::Error;
use crate::page_token::PageToken;

const DEFAULT_PAGE: usize = 50;

pub(super) async fn handle(
    etl: &Etl,
    request: &ListRunsRequest,
) -> Result<ListRunsResponse, Error> {
    let after = match request.page_token.as_str() {
        "" => None,
        token => Some(PageToken::decode(token)?),
    };
    let size = match usize::try_from(request.page_size) {
        Ok(size) if size > 0 => size,
        _ => DEFAULT_PAGE,
    };
    // One more than the page tells whether there is a next one.
    let mut runs = etl.runs.list(after, size + 1).await?;
    let more = runs.len() > size;
    runs.truncate(size);
    let next = runs.last().filter(|_| more).map(PageToken::behind);
    Ok(ListRunsResponse {
        next_page_token: next.map(PageToken::encode).unwrap_or_default(),
        runs: runs.into_iter().map(run).collect(),
    })
}
