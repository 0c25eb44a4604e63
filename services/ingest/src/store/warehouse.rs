//! ClickHouse: the readings, the datamart and its staging tables, the watermarks.

use bionicpro_mesh::clickhouse::native::Encoded;
use bionicpro_mesh::clickhouse::{self as mesh, MigrateError, Migration};
use chrono::{DateTime, NaiveDate, Utc};
use clickhouse::sql::Identifier;
use clickhouse::{Client, Compression, Row};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

use crate::error::Error;
use crate::run::RunId;

const OWNER: &str = "ingest";
const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "0001_telemetry_readings",
        sql: include_str!("../../migrations/clickhouse/0001_telemetry_readings.sql"),
    },
    Migration {
        name: "0002_report_daily",
        sql: include_str!("../../migrations/clickhouse/0002_report_daily.sql"),
    },
    Migration {
        name: "0003_telemetry_watermarks",
        sql: include_str!("../../migrations/clickhouse/0003_telemetry_watermarks.sql"),
    },
    Migration {
        name: "0004_report_wear",
        sql: include_str!("../../migrations/clickhouse/0004_report_wear.sql"),
    },
    Migration {
        name: "0005_telemetry_devices",
        sql: include_str!("../../migrations/clickhouse/0005_telemetry_devices.sql"),
    },
    Migration {
        name: "0006_report_customer_wear",
        sql: include_str!("../../migrations/clickhouse/0006_report_customer_wear.sql"),
    },
];

/// How often an insert is sent before its day counts as failed, and the first wait between two.
const ATTEMPTS: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The tables that this service owns in ClickHouse.
#[derive(Clone)]
pub(crate) struct Warehouse {
    client: Client,
}

/// A day of a run: everything that is done to it in ClickHouse goes by these two.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunDay {
    pub(crate) run: RunId,
    pub(crate) day: NaiveDate,
}

/// What became of the readings of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Row, Deserialize)]
pub(crate) struct DayCounts {
    /// Readings that this run has loaded.
    pub(crate) loaded: u64,
    /// Of these, the ones that a device's own reading counts for: it was received first.
    pub(crate) repeated: u64,
    /// Readings that devices sent and that count.
    pub(crate) sent: u64,
    /// Of all that count, the ones whose prosthesis nobody wore at the time.
    pub(crate) unassigned: u64,
    /// Readings that the staged mart counts.
    pub(crate) staged: u64,
    /// Rows of the staged mart that have readings.
    pub(crate) mart_rows: u64,
}

/// Up to when things were known when a day was built.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// The readings of the telemetry database.
    pub(crate) complete_until: DateTime<Utc>,
    /// The CRM.
    pub(crate) crm_watermark: DateTime<Utc>,
    /// The devices' arrivals of that day.
    pub(crate) arrivals_until: DateTime<Utc>,
}

#[derive(Row, Deserialize)]
struct Day {
    #[serde(with = "clickhouse::serde::chrono::date")]
    day: NaiveDate,
}

#[derive(Row, Deserialize)]
pub(super) struct Time {
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    pub(super) time: DateTime<Utc>,
}

#[derive(Row, Serialize)]
struct Watermark {
    #[serde(with = "clickhouse::serde::chrono::date")]
    day: NaiveDate,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    complete_until: DateTime<Utc>,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    crm_watermark: DateTime<Utc>,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    arrivals_until: DateTime<Utc>,
    #[serde(with = "clickhouse::serde::uuid")]
    run_id: Uuid,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    written_at: DateTime<Utc>,
}

impl Warehouse {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A client for blocks of readings. An insert is answered when it is durable, and late readings
    /// may be of many days. Compression costs more than it saves on the way to a near server.
    pub(crate) fn writer(&self) -> Client {
        self.client
            .clone()
            .with_compression(Compression::None)
            .with_setting("async_insert", "0")
            .with_setting("max_partitions_per_insert_block", "0")
    }

    /// Asks whether the tables can be read.
    pub(crate) fn readiness(
        &self,
    ) -> impl Fn() -> BoxFuture<'static, Result<(), Error>> + Send + Sync + 'static {
        let client = self.client.clone();
        move || {
            let tables = client.query(
                "SELECT 1 FROM report_daily, report_wear, telemetry_readings, telemetry_watermarks, \
                 telemetry_arrivals, telemetry_dead_letters LIMIT 0",
            );
            Box::pin(async move { Ok(tables.execute().await?) })
        }
    }

    /// Brings the tables to the state that this version needs.
    pub(crate) async fn migrate(&self) -> Result<(), MigrateError> {
        mesh::migrate(&self.client, OWNER, MIGRATIONS).await
    }

    pub(super) fn client(&self) -> Client {
        mesh::traced(&self.client)
    }

    /// Makes the run's staging tables. Without the mart's nothing of the run can reach the mart:
    /// whoever drops it has fenced the run off.
    pub(crate) async fn create_staging(&self, run: RunId) -> Result<(), Error> {
        for (table, like) in [
            (staging(run), "report_daily"),
            (sent(run), "telemetry_readings"),
        ] {
            self.client()
                .query("CREATE TABLE ? AS ?")
                .bind(Identifier(&table))
                .bind(Identifier(like))
                .with_setting("query_id", format!("{run}/create-{like}"))
                .execute()
                .await?;
        }
        Ok(())
    }

    /// Puts aside what devices sent of the day, for [`Self::build`] and [`Self::count`]. Answers up
    /// to which arrival that is; later ones may be among it, and are found again.
    pub(crate) async fn stage_devices(&self, day: RunDay) -> Result<DateTime<Utc>, Error> {
        let arrivals =
            "SELECT max(written_at) AS time FROM telemetry_arrivals WHERE day = {day:Date}";
        let until: Time = self
            .client()
            .query(arrivals)
            .param("day", day.day.to_string())
            .with_setting("query_id", day.query_id("arrivals"))
            .fetch_one()
            .await?;
        self.empty(day, &sent(day.run)).await?;
        self.client()
            .query(include_str!("stage_devices.sql"))
            .bind(Identifier(&sent(day.run)))
            .param("day", day.day.to_string())
            .param("run", day.run.to_string())
            .with_setting("query_id", day.query_id("stage-devices"))
            .execute()
            .await?;
        Ok(until.time)
    }

    async fn empty(&self, day: RunDay, table: &str) -> Result<(), Error> {
        self.client()
            .query("TRUNCATE TABLE ?")
            .bind(Identifier(table))
            .with_setting("query_id", day.query_id(&format!("truncate-{table}")))
            .execute()
            .await?;
        Ok(())
    }

    /// The days of which readings have arrived that they were not loaded with, in order.
    pub(crate) async fn arrived_days(&self) -> Result<Vec<NaiveDate>, Error> {
        let query = include_str!("arrived_days.sql");
        let rows: Vec<Day> = self.client().query(query).fetch_all().await?;
        Ok(rows.into_iter().map(|row| row.day).collect())
    }

    /// Readings that the mart has of the day now.
    pub(crate) async fn held(&self, day: RunDay) -> Result<u64, Error> {
        let held = self
            .client()
            .query("SELECT sum(readings) FROM report_daily WHERE day = {day:Date}")
            .param("day", day.day.to_string())
            .with_setting("query_id", day.query_id("held"))
            .fetch_one()
            .await?;
        Ok(held)
    }

    /// Inserts a chunk of a day's readings. ClickHouse forgets a repetition, so that a chunk whose
    /// answer was lost is sent again.
    pub(crate) async fn insert_readings(
        &self,
        day: RunDay,
        chunk: u32,
        rows: &Encoded,
    ) -> Result<(), Error> {
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            let query_id = day.query_id(&format!("chunk-{chunk}-{attempt}"));
            let client = self.writer().with_setting("query_id", query_id);
            match mesh::insert(&client, "telemetry_readings", rows).await {
                Err(error) if attempt < ATTEMPTS && is_transient(&error) => {
                    tracing::warn!(run_id = %day.run, day = %day.day, chunk, attempt, %error, "repeating an insert");
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                outcome => return Ok(outcome?),
            }
        }
        Ok(())
    }

    /// Builds the day's mart in the run's staging table.
    pub(crate) async fn build(&self, day: RunDay) -> Result<(), Error> {
        let staging = staging(day.run);
        self.empty(day, &staging).await?;
        self.client()
            .query(include_str!("build_day.sql"))
            .bind(Identifier(&staging))
            .bind(Identifier(&sent(day.run)))
            .bind(Identifier(&sent(day.run)))
            .param("day", day.day.to_string())
            .param("run", day.run.to_string())
            .with_setting("query_id", day.query_id("build"))
            .execute()
            .await?;
        Ok(())
    }

    /// Counts what the run has made of a day.
    pub(crate) async fn count(&self, day: RunDay) -> Result<DayCounts, Error> {
        let counts = self
            .client()
            .query(include_str!("count_day.sql"))
            .bind(Identifier(&sent(day.run)))
            .bind(Identifier(&sent(day.run)))
            .bind(Identifier(&staging(day.run)))
            .param("day", day.day.to_string())
            .param("run", day.run.to_string())
            .with_setting("query_id", day.query_id("count"))
            .fetch_one()
            .await?;
        Ok(counts)
    }

    /// Puts the staged day into the mart, at once and whole, in place of what was there.
    pub(crate) async fn swap(&self, day: RunDay) -> Result<(), Error> {
        self.client()
            .query("ALTER TABLE report_daily REPLACE PARTITION {day:Date} FROM ?")
            .bind(Identifier(&staging(day.run)))
            .param("day", day.day.to_string())
            // A day on which nobody wore anything has no rows: then the mart shall have none.
            .with_setting("allow_replace_partition_from_empty_source", "1")
            .with_setting("query_id", day.query_id("swap"))
            .execute()
            .await?;
        Ok(())
    }

    /// Takes a day out of the mart: see [`bionicpro_mesh::rehearsal`].
    pub(crate) async fn remove(&self, day: RunDay) -> Result<(), Error> {
        self.client()
            .query("ALTER TABLE report_daily DROP PARTITION {day:Date}")
            .param("day", day.day.to_string())
            .execute()
            .await?;
        Ok(())
    }

    /// Says what was known when the day was built.
    pub(crate) async fn write_watermark(&self, day: RunDay, known: Known) -> Result<(), Error> {
        let mut insert = self
            .client()
            .insert::<Watermark>("telemetry_watermarks")
            .await?;
        insert
            .write(&Watermark {
                day: day.day,
                complete_until: known.complete_until,
                crm_watermark: known.crm_watermark,
                arrivals_until: known.arrivals_until,
                run_id: day.run.0,
                written_at: Utc::now(),
            })
            .await?;
        Ok(insert.end().await?)
    }

    /// Ends what a run still does here and drops its staging tables: from then on it can change
    /// nothing in the mart.
    pub(crate) async fn discard(&self, run: RunId) -> Result<(), Error> {
        self.client()
            .query(
                "KILL QUERY WHERE startsWith(query_id, {run:String}) AND user = currentUser() SYNC",
            )
            .param("run", format!("{run}/"))
            .execute()
            .await?;
        for table in [staging(run), sent(run)] {
            self.client()
                .query("DROP TABLE IF EXISTS ? SYNC")
                .bind(Identifier(&table))
                .execute()
                .await?;
        }
        Ok(())
    }
}

impl RunDay {
    /// Names a query so that [`Warehouse::discard`] finds it.
    pub(super) fn query_id(self, step: &str) -> String {
        format!("{}/{}/{step}", self.run, self.day)
    }
}

fn staging(run: RunId) -> String {
    format!("report_daily_staging_{}", run.0.simple())
}

/// Where a run keeps what devices sent of a day.
fn sent(run: RunId) -> String {
    format!("telemetry_sent_staging_{}", run.0.simple())
}

fn is_transient(error: &clickhouse::error::Error) -> bool {
    use clickhouse::error::Error::{Network, TimedOut};
    matches!(error, Network(_) | TimedOut)
}
