//! How an export comes into the queue of those to be made: each once, not too many of one customer,
//! and in an order that is fair between customers.

use deadpool_postgres::Transaction;
use uuid::Uuid;

use super::rows::{COLUMNS, export, kind};
use crate::error::Error;
use crate::export::request::Offer;
use crate::export::{Export, ExportId, Language, State};

/// How many exports of one customer may be open.
const MOST_OPEN: i64 = 10;
/// When the turn of a customer's next export comes: at once, or where others are open, behind what
/// other customers ask for in the next seconds.
const TURN: &str = "greatest(clock_timestamp(), (SELECT max(turn_at) + interval '5 seconds' \
     FROM exports WHERE customer_id = $2 AND state = 'PENDING'))";

/// The export of what is offered: the one that there is, or a new one. One that failed is opened
/// again, with its own freshness.
pub(super) async fn take_in(transaction: &Transaction<'_>, offer: &Offer) -> Result<Export, Error> {
    let customer = offer.asked.customer.0;
    wait_for_others_of(transaction, customer).await?;
    match named(transaction, &offer.name).await? {
        Some(found) if !matches!(found.state, State::Failed { .. }) => return Ok(found),
        Some(failed) => reopen(transaction, offer, &failed).await?,
        None => insert(transaction, offer).await?,
    }
    let open = "SELECT count(*) FROM exports WHERE customer_id = $1 AND state = 'PENDING'";
    let open: i64 = transaction
        .query_one(open, &[&customer])
        .await?
        .try_get(0)?;
    if open > MOST_OPEN {
        return Err(Error::TooManyExports(MOST_OPEN));
    }
    let taken_in = named(transaction, &offer.name).await?;
    taken_in.ok_or_else(|| Error::operational("an export was lost"))
}

/// One request of a customer's at a time: what is counted stays so until it ends.
async fn wait_for_others_of(transaction: &Transaction<'_>, customer: Uuid) -> Result<(), Error> {
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('exports of ' || $1::uuid, 0))";
    transaction.execute(lock, &[&customer]).await?;
    Ok(())
}

async fn named(transaction: &Transaction<'_>, name: &str) -> Result<Option<Export>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM exports WHERE name = $1");
    let row = transaction.query_opt(&sql, &[&name]).await?;
    row.as_ref().map(export).transpose()
}

async fn reopen(
    transaction: &Transaction<'_>,
    offer: &Offer,
    failed: &Export,
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE exports SET state = 'PENDING', failure = '', failure_reason = '', document = $3, \
             turn_at = {TURN} WHERE export_id = $1 AND customer_id = $2 AND state = 'FAILED'"
    );
    let document = offer.document_of(failed.freshness)?;
    transaction
        .execute(&sql, &[&failed.id.0, &failed.customer.0, &document])
        .await?;
    Ok(())
}

async fn insert(transaction: &Transaction<'_>, offer: &Offer) -> Result<(), Error> {
    let (asked, freshness, period) = (&offer.asked, &offer.freshness, offer.period);
    let sql = format!(
        "INSERT INTO exports (export_id, customer_id, name, period_kind, start_day, end_day, \
             format, language, document, telemetry_watermark, previous_telemetry_watermark, \
             crm_watermark, generated_at, turn_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, {TURN})"
    );
    transaction
        .execute(
            &sql,
            &[
                &ExportId::new().0,
                &asked.customer.0,
                &offer.name,
                &kind(period.kind),
                &period.first,
                &period.last,
                &asked.form.format(),
                &asked.form.language().map(Language::name),
                &offer.document_of(*freshness)?,
                &freshness.telemetry,
                &freshness.previous_telemetry,
                &freshness.crm,
                &freshness.generated_at,
            ],
        )
        .await?;
    Ok(())
}
