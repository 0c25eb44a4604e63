//! ClickHouse: what is kept of a day whose partition the telemetry database has dropped. It is all
//! that anybody still knows of the readings that came from there.

use chrono::{DateTime, NaiveDate, Utc};

use super::warehouse::{RunDay, Time, Warehouse};
use crate::daily_load::transcode::COLUMNS;
use crate::error::Error;

const KEPT: &str = include_str!("kept_day.sql");

impl Warehouse {
    /// Makes the readings that earlier runs have loaded of the day this run's, as if it had read
    /// them. Answers how many they are.
    pub(crate) async fn take_over(&self, day: RunDay) -> Result<u64, Error> {
        let kept = self
            .client()
            .query(&format!("SELECT count() FROM ({KEPT})"))
            .param("day", day.day.to_string())
            .param("run", day.run.to_string())
            .with_setting("query_id", day.query_id("count-kept"))
            .fetch_one()
            .await?;
        self.client()
            .query(&format!(
                "INSERT INTO telemetry_readings ({COLUMNS}, run_id) {KEPT}"
            ))
            .param("day", day.day.to_string())
            .param("run", day.run.to_string())
            .with_setting("query_id", day.query_id("take-over"))
            .execute()
            .await?;
        Ok(kept)
    }

    /// Up to when the telemetry database's readings of a day were known when it was last loaded;
    /// 1970 for a day that never was.
    pub(crate) async fn known_until(&self, day: NaiveDate) -> Result<DateTime<Utc>, Error> {
        let query = "SELECT argMax(complete_until, written_at) AS time FROM telemetry_watermarks \
             WHERE day = {day:Date}";
        let known: Time = self
            .client()
            .query(query)
            .param("day", day.to_string())
            .fetch_one()
            .await?;
        Ok(known.time)
    }
}
