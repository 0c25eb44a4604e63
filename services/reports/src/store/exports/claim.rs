//! The right to make one pending file.

use deadpool_postgres::{Object, Transaction};
use tokio_postgres::Row;

use super::rows::{form, period};
use crate::error::Error;
use crate::export::{ExportId, Form, file_name};

/// How long a process that stands still keeps a row. A file is made in seconds.
const PATIENCE: &str = "SET LOCAL idle_in_transaction_session_timeout = '60s'";
/// Compatible with the foreign key of a request for the same export, which must not wait.
const NEXT: &str = "SELECT export_id, name, period_kind, start_day, end_day, format, language, \
     document FROM exports WHERE state = 'PENDING' ORDER BY turn_at, export_id LIMIT 1 \
     FOR NO KEY UPDATE SKIP LOCKED";

/// A pending export that nobody else works on while this is held.
pub(crate) struct Claim<'a> {
    transaction: Transaction<'a>,
    pub(crate) job: Job,
}

/// What is to be made.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: ExportId,
    pub(crate) name: String,
    pub(crate) file_name: String,
    pub(crate) form: Form,
    pub(crate) document: String,
}

impl<'a> Claim<'a> {
    /// Takes the pending export whose turn it is, if there is one that nobody works on.
    pub(crate) async fn take(connection: &'a mut Object) -> Result<Option<Self>, Error> {
        let transaction = connection.transaction().await?;
        transaction.batch_execute(PATIENCE).await?;
        let Some(row) = transaction.query_opt(NEXT, &[]).await? else {
            return Ok(None);
        };
        let job = job(&row)?;
        Ok(Some(Self { transaction, job }))
    }

    /// Records that the file is there.
    pub(crate) async fn succeed(self, size_bytes: u64) -> Result<(), Error> {
        let size = i64::try_from(size_bytes).map_err(|_| Error::Record("size"))?;
        let sql = "UPDATE exports SET state = 'READY', ready_at = clock_timestamp(), size_bytes = $2, \
             document = NULL WHERE export_id = $1";
        self.transaction
            .execute(sql, &[&self.job.id.0, &size])
            .await?;
        Ok(self.transaction.commit().await?)
    }

    /// Records why there is none.
    pub(crate) async fn fail(self, error: &Error) -> Result<(), Error> {
        let sql = "UPDATE exports SET state = 'FAILED', failure_reason = $2, failure = $3, \
             document = NULL WHERE export_id = $1";
        let (reason, sentence) = error.for_the_record();
        let reason = reason.as_reason();
        self.transaction
            .execute(sql, &[&self.job.id.0, &reason, &sentence])
            .await?;
        Ok(self.transaction.commit().await?)
    }
}

fn job(row: &Row) -> Result<Job, Error> {
    let form = form(row)?;
    Ok(Job {
        id: ExportId(row.try_get("export_id")?),
        name: row.try_get("name")?,
        file_name: file_name(period(row)?, form),
        form,
        document: row.try_get("document")?,
    })
}
