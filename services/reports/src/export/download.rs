//! What AuthorizeDownload does: says where the file of a link lies, if it is the caller's.

use chrono::Utc;

use super::State;
use super::keys::Keys;
use crate::error::Error;
use crate::report::CustomerId;
use crate::store::{Exports, Files};

/// Path and query at the file store, signed for a short time.
pub(crate) async fn authorize(
    exports: &Exports,
    files: &Files,
    keys: &Keys,
    customer: CustomerId,
    path_and_query: &str,
) -> Result<String, Error> {
    let link = keys.open(path_and_query, Utc::now())?;
    let export = exports.named(&link.name).await?;
    let export = export
        .filter(|export| export.file_name() == link.file_name)
        .ok_or(Error::ExportNotFound)?;
    if export.customer != customer {
        return Err(Error::ExportForeign);
    }
    if !matches!(export.state, State::Ready { .. }) {
        return Err(Error::ExportNotFound);
    }
    files.signed(&export.name).await
}
