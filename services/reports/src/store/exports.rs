//! The index of exports in the operational Postgres.

mod claim;
mod queue;
mod rows;

use bionicpro_mesh::postgres::{self, Database};
use chrono::{DateTime, Utc};
use deadpool_postgres::{Object, Transaction};
use futures::future::BoxFuture;

pub(crate) use self::claim::{Claim, Job};
use self::rows::{COLUMNS, export};
use crate::error::Error;
use crate::export::request::{Asked, Offer};
use crate::export::{Export, ExportId};
use crate::export_page::ExportPage;
use crate::report::CustomerId;

mod migrations {
    refinery::embed_migrations!("migrations");
}

/// Ingest's own history stands in the same database.
const HISTORY: &str = "reports_schema_history";
const PROBE: &str = "SELECT FROM exports, export_requests LIMIT 1";

/// The index.
#[derive(Clone)]
pub(crate) struct Exports {
    database: Database,
}

impl Exports {
    /// A pool that connects when it is first used.
    pub(crate) fn new(address: tokio_postgres::Config) -> Result<Self, Error> {
        let database = Database::new(address)?;
        Ok(Self { database })
    }

    /// Brings the tables to the state that this version needs.
    pub(crate) async fn migrate(&self) -> Result<(), Error> {
        let mut runner = migrations::migrations::runner();
        Ok(self
            .database
            .migrate(runner.set_migration_table_name(HISTORY))
            .await?)
    }

    /// Asks whether the tables can be read.
    pub(crate) fn readiness(
        &self,
    ) -> impl Fn() -> BoxFuture<'static, Result<(), postgres::Error>> + Send + Sync + 'static {
        self.database.readiness(PROBE)
    }

    /// The export that a request began before.
    pub(crate) async fn requested(&self, asked: &Asked) -> Result<Option<Export>, Error> {
        let sql = format!(
            "SELECT {COLUMNS}, asked FROM export_requests JOIN exports USING (export_id) \
             WHERE export_requests.customer_id = $1 AND request_id = $2"
        );
        let connection = self.connection().await?;
        let row = connection
            .query_opt(&sql, &[&asked.customer.0, &asked.request_id])
            .await?;
        let Some(row) = row else { return Ok(None) };
        let found = export(&row)?;
        if row.try_get::<_, String>("asked")? != asked.parameters() {
            return Err(Error::RequestIdReused {
                export_id: found.id,
            });
        }
        Ok(Some(found))
    }

    /// Records a request with the export of what it asks for: the one that there is, tried again if
    /// it failed, or the one offered.
    pub(crate) async fn offer(&self, offer: &Offer) -> Result<Export, Error> {
        let mut connection = self.connection().await?;
        let transaction = connection.transaction().await?;
        let found = queue::take_in(&transaction, offer).await?;
        if !record(&transaction, &offer.asked, found.id).await? {
            // The same request came twice at once; the other one was first.
            drop(transaction);
            // Given back first: as many such requests as the pool has connections would wait for
            // each other.
            drop(connection);
            let first = self.requested(&offer.asked).await?;
            return first.ok_or_else(|| Error::operational("a request was lost"));
        }
        transaction.commit().await?;
        Ok(found)
    }

    /// Notes that the file is gone of an export that was ready `since` then, unless it has been made
    /// again meanwhile. Answers the export as it then is.
    pub(crate) async fn lose(
        &self,
        export: &Export,
        since: DateTime<Utc>,
    ) -> Result<Export, Error> {
        let sql = "UPDATE exports SET state = 'FAILED', failure_reason = $3, failure = $4 \
             WHERE export_id = $1 AND state = 'READY' AND ready_at = $2";
        let (reason, sentence) = Error::FileLost.for_the_record();
        let reason = reason.as_reason();
        self.connection()
            .await?
            .execute(sql, &[&export.id.0, &since, &reason, &sentence])
            .await?;
        self.get(export.customer, export.id).await
    }

    /// One of a customer's exports.
    pub(crate) async fn get(&self, customer: CustomerId, id: ExportId) -> Result<Export, Error> {
        let sql =
            format!("SELECT {COLUMNS} FROM exports WHERE export_id = $1 AND customer_id = $2");
        let connection = self.connection().await?;
        let row = connection.query_opt(&sql, &[&id.0, &customer.0]).await?;
        export(&row.ok_or(Error::ExportNotFound)?)
    }

    /// Anybody's export, by the name of its file.
    pub(crate) async fn named(&self, name: &str) -> Result<Option<Export>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM exports WHERE name = $1");
        let row = self.connection().await?.query_opt(&sql, &[&name]).await?;
        row.as_ref().map(export).transpose()
    }

    /// Up to `limit` of a customer's exports, newest first, behind the one that `after` names.
    pub(crate) async fn list(
        &self,
        customer: CustomerId,
        after: Option<ExportPage>,
        limit: usize,
    ) -> Result<Vec<Export>, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {COLUMNS} FROM exports WHERE customer_id = $1 \
             AND ($2::timestamptz IS NULL OR (created_at, export_id) < ($2, $3)) \
             ORDER BY created_at DESC, export_id DESC LIMIT $4"
        );
        let created_at = after.map(|it| it.created_at);
        let id = after.map(|it| it.id.0);
        let connection = self.connection().await?;
        let rows = connection
            .query(&sql, &[&customer.0, &created_at, &id, &limit])
            .await?;
        rows.iter().map(export).collect()
    }

    pub(crate) async fn connection(&self) -> Result<Object, Error> {
        Ok(self.database.connection().await?)
    }
}

/// Notes which export a request has; false where the request was noted before.
async fn record(
    transaction: &Transaction<'_>,
    asked: &Asked,
    export: ExportId,
) -> Result<bool, Error> {
    let sql = "INSERT INTO export_requests (customer_id, request_id, asked, export_id) \
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let (customer, request, parameters) = (asked.customer.0, asked.request_id, asked.parameters());
    let recorded = transaction
        .execute(sql, &[&customer, &request, &parameters, &export.0])
        .await?;
    Ok(recorded == 1)
}

impl From<postgres::Error> for Error {
    fn from(error: postgres::Error) -> Self {
        Error::operational(error)
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        Error::operational(error)
    }
}
