//! Makes the files of pending exports. A row is worked on under a lock that lives in an open
//! transaction: dies the process, another one takes the row. Two that both think they hold it harm
//! nothing: the same document makes the same bytes, and the first one stored stays.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bionicpro_mesh::rehearsal::Rehearsal;
use futures::FutureExt as _;
use futures::future::join_all;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::document::Document;
use super::render::render;
use crate::error::Error;
use crate::store::{Claim, Exports, File, Files, Job};

/// How often each place looks for exports that another process left, or that nobody told it of: a
/// place that the store keeps waiting can look for nobody.
const ROUND: Duration = Duration::from_secs(1);
/// How long a rehearsal stands still before the file is stored, or after it said so unsafely.
const PAUSE: Duration = Duration::from_secs(3);

/// How many files a process makes at a time: one that the store does not take holds up no other.
/// Each needs a connection to the index (`mesh::postgres`), of which calls need some, too.
const PLACES: usize = 4;

/// Makes files.
pub(crate) struct Worker {
    pub(crate) exports: Exports,
    pub(crate) files: Files,
    pub(crate) rehearsal: Rehearsal,
}

impl Worker {
    /// Works until `stop`; `woken` says that there is something new.
    pub(crate) async fn work(&self, woken: &Notify, stop: &CancellationToken) {
        let places = (0..PLACES).map(|_| self.work_at_a_place(woken, stop));
        join_all(places).await;
    }

    async fn work_at_a_place(&self, woken: &Notify, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            // What is under way when the process stops is left to another one.
            match stop.run_until_cancelled(self.make_next(woken)).await {
                Some(Ok(true)) => continue,
                Some(Ok(false)) | None => {}
                Some(Err(error)) => {
                    tracing::warn!(error = error.with_sources(), "could not work on an export");
                }
            }
            tokio::select! {
                () = woken.notified() => {}
                () = tokio::time::sleep(ROUND) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Makes the pending file whose turn it is; false when there is none.
    async fn make_next(&self, woken: &Notify) -> Result<bool, Error> {
        let mut connection = self.exports.connection().await?;
        let Some(claim) = Claim::take(&mut connection).await? else {
            return Ok(false);
        };
        // There may be more: another place looks.
        woken.notify_one();
        let span = tracing::info_span!("make export", export_id = %claim.job.id.0);
        self.make(claim).instrument(span).await?;
        Ok(true)
    }

    async fn make(&self, claim: Claim<'_>) -> Result<(), Error> {
        if self.rehearsal.is_unsafe() {
            let job = claim.job.clone();
            claim.succeed(0).await?;
            return self.store(&job).await.map(drop);
        }
        let export_id = claim.job.id.0;
        // A document that makes it panic may not stop those behind it.
        let stored = AssertUnwindSafe(self.store(&claim.job)).catch_unwind();
        match stored.await.unwrap_or(Err(Error::Panicked)) {
            Ok(size_bytes) => {
                tracing::info!(%export_id, size_bytes, "export is ready");
                claim.succeed(size_bytes).await
            }
            Err(error) => {
                tracing::error!(%export_id, error = error.with_sources(), "export failed");
                claim.fail(&error).await
            }
        }
    }

    async fn store(&self, job: &Job) -> Result<u64, Error> {
        let document: Document = serde_json::from_str(&job.document)?;
        let bytes = render(&document, job.form)?;
        self.rehearsal.stand_still(PAUSE).await;
        let size = bytes.len() as u64;
        let file = File {
            name: &job.name,
            file_name: &job.file_name,
            content_type: job.form.content_type(),
            bytes: bytes.into(),
        };
        self.files.store(&file).await?;
        Ok(size)
    }
}
