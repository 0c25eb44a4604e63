//! Files that are gone from the store although their exports are READY: a bucket that was emptied, a
//! retention rule. Such an export is FAILED, with what to do: asked for again, it is made again.

use super::{Export, State};
use crate::error::Error;
use crate::store::{Exports, Files};

/// The export as it really is.
pub(crate) async fn noticed(
    exports: &Exports,
    files: &Files,
    export: Export,
) -> Result<Export, Error> {
    match export.state {
        State::Ready { at, .. } if files.lacks(&export.name).await => {
            tracing::warn!(export_id = %export.id.0, "the file of an export is gone");
            exports.lose(&export, at).await
        }
        _ => Ok(export),
    }
}
