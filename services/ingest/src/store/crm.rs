//! What ClickHouse has of the CRM, which cdc writes there and this service only reads: how far it
//! has come, and on which loaded days the wearers are others by now.

use bionicpro_mesh::clickhouse::traced;
use chrono::{DateTime, NaiveDate, Utc};
use clickhouse::{Client, Row};
use serde::Deserialize;

use crate::error::Error;

/// The CRM as ClickHouse has it.
#[derive(Clone)]
pub(crate) struct Crm {
    client: Client,
}

/// What [`Crm::changed_days`] depends on: while it stays the same, so do they. Sums of hashes of
/// all versions of the assignments and of all loads of days: what comes late from another partition
/// is often older than what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Row, Deserialize)]
pub(crate) struct Inputs {
    assignments: u64,
    loads: u64,
}

#[derive(Row, Deserialize)]
struct Watermark {
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    time: DateTime<Utc>,
}

#[derive(Row, Deserialize)]
struct Day {
    #[serde(with = "clickhouse::serde::chrono::date")]
    day: NaiveDate,
}

impl Crm {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The time before which every change that the CRM acknowledged is here; none before the
    /// first watermark.
    pub(crate) async fn watermark(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let query = "SELECT time FROM crm_watermarks FINAL ORDER BY time LIMIT 1";
        let row: Option<Watermark> = traced(&self.client).query(query).fetch_optional().await?;
        Ok(row.map(|row| row.time))
    }

    pub(crate) async fn inputs(&self) -> Result<Inputs, Error> {
        let query = "SELECT changed.sum AS assignments, loaded.sum AS loads \
             FROM (SELECT sum(cityHash64(id, version)) AS sum FROM crm_assignments_versions) \
                 AS changed \
             CROSS JOIN (SELECT sum(cityHash64(day, written_at)) AS sum FROM telemetry_watermarks) \
                 AS loaded";
        Ok(traced(&self.client).query(query).fetch_one().await?)
    }

    /// The loaded days, in order, whose wearers are others than those that they were built with.
    pub(crate) async fn changed_days(&self) -> Result<Vec<NaiveDate>, Error> {
        let query = include_str!("changed_days.sql");
        let rows: Vec<Day> = traced(&self.client).query(query).fetch_all().await?;
        Ok(rows.into_iter().map(|row| row.day).collect())
    }
}
