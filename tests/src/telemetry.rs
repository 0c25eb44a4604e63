//! The oracle for the datamart and the reports: the same numbers by plain SQL
//! on the sources. Also the readings that the suites add there.

use std::collections::BTreeSet;

use std::time::Duration;

use bionicpro_proto::ingest::v1::Reading;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};
use uuid::Uuid;

use crate::crm::{self, Row};
use crate::{Topology, eventually};

/// How long a change of the CRM may take to be in ClickHouse.
const ARRIVAL: Duration = Duration::from_secs(60);

/// The telemetry store as its owner, beside a copy of who wore what.
pub struct Telemetry {
    client: Client,
}

impl Telemetry {
    /// Signs in, and copies the assignments of the CRM into a temporary table
    /// `worn`: the two databases cannot be joined.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn connect(stack: &Topology) -> anyhow::Result<Self> {
        let url = stack.postgres.databases.telemetry.url.as_str();
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        client
            .batch_execute(
                "SET TIME ZONE 'UTC';
                 CREATE TEMPORARY TABLE worn (prosthesis_id uuid, customer_id uuid,
                     valid_from timestamptz, valid_to timestamptz)",
            )
            .await?;
        let assignments = "SELECT quote_nullable(prosthesis_id), quote_nullable(customer_id), \
             quote_nullable(valid_from), quote_nullable(valid_to) FROM assignments";
        for row in crm::connect(stack).await?.query(assignments, &[]).await? {
            let values: Vec<String> = (0..4).map(|column| row.get(column)).collect();
            let insert = format!("INSERT INTO worn VALUES ({})", values.join(", "));
            client.batch_execute(&insert).await?;
        }
        Ok(Self { client })
    }

    /// Runs a query and reads its rows as text.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn query(&self, sql: &str) -> anyhow::Result<Vec<Row>> {
        let answer = self.client.simple_query(sql).await?;
        let rows = answer.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|column| row.get(column).map(str::to_owned))
                    .collect(),
            ),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// The mart of a day as it must be, in the columns of [`mart`].
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn expected_mart(&self, day: &str) -> anyhow::Result<BTreeSet<Row>> {
        let sql = format!(
            "SELECT customer_id, prosthesis_id, count(*), sum(duration_ms), sum(response_ms),
                 percentile_disc(0.95) WITHIN GROUP (ORDER BY response_ms), sum(force_mn),
                 sum(emg_quality_pct), min(battery_pct), count(fault_code)
             FROM readings JOIN worn USING (prosthesis_id)
             WHERE recorded_at >= '{day}' AND recorded_at < date '{day}' + 1
                 AND recorded_at >= valid_from AND (valid_to IS NULL OR recorded_at < valid_to)
             GROUP BY customer_id, prosthesis_id"
        );
        Ok(self.query(&sql).await?.into_iter().collect())
    }

    /// Adds readings of a prosthesis, one each minute of a day.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn add_readings(&self, day: &str, prosthesis: &str) -> anyhow::Result<()> {
        let sql = format!(
            "SELECT create_readings_day('{day}');
             INSERT INTO readings
             SELECT gen_random_uuid(), '{prosthesis}', at, at, 'power', n % 900, n % 200, n % 5000,
                 n % 100, n % 100, CASE WHEN n % 50 = 0 THEN 'E1' END
             FROM generate_series(0, 1439) AS n,
                 LATERAL (SELECT timestamptz '{day}' + n * interval '1 minute' AS at) AS moment"
        );
        Ok(self.client.batch_execute(&sql).await?)
    }

    /// Adds a reading under an id, as the telemetry database has received it at `received_at`.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn add(&self, reading: &Reading, received_at: &str) -> anyhow::Result<()> {
        let at = reading.recorded_at.unwrap_or_default().seconds;
        let sql = format!(
            "SELECT create_readings_day((to_timestamp({at}) AT TIME ZONE 'UTC')::date);
             INSERT INTO readings VALUES ('{}', '{}', to_timestamp({at}), '{received_at}', '{}',
                 {}, {}, 1, {}, {}, NULL)",
            reading.id,
            reading.prosthesis_id,
            reading.grip,
            reading.duration_ms,
            reading.response_ms,
            reading.battery_pct,
            reading.emg_quality_pct
        );
        Ok(self.client.batch_execute(&sql).await?)
    }

    /// Drops the partition of a day.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn drop_day(&self, day: &str) -> anyhow::Result<()> {
        let sql = format!("DROP TABLE IF EXISTS readings_{}", day.replace('-', ""));
        Ok(self.client.batch_execute(&sql).await?)
    }

    /// Removes the readings of a day.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn remove_readings(&self, day: &str) -> anyhow::Result<()> {
        let sql = format!(
            "DELETE FROM readings WHERE recorded_at >= '{day}' AND recorded_at < date '{day}' + 1"
        );
        Ok(self.client.batch_execute(&sql).await?)
    }
}

/// The mart of a day as it is: the stretches of wear that have readings.
///
/// # Errors
/// When ClickHouse refuses.
pub async fn mart(stack: &Topology, day: &str) -> anyhow::Result<BTreeSet<Row>> {
    let columns = [
        "customer_id",
        "prosthesis_id",
        "readings",
        "use_ms",
        "response_ms_sum",
        "finalizeAggregation(response_ms_p95)",
        "force_mn_sum",
        "emg_quality_pct_sum",
        "battery_pct_min",
        "faults",
    ];
    let columns = columns
        .map(|column| format!("toString({column})"))
        .join(", ");
    let database = &stack.clickhouse.database;
    let query = format!(
        "SELECT {columns} FROM {database}.report_daily WHERE day = '{day}' AND readings > 0"
    );
    let rows: Vec<Row> = crm::query_clickhouse(stack, &query).await?;
    Ok(rows.into_iter().collect())
}

/// A prosthesis that somebody wears all through 2020, long before the seeded time.
///
/// # Errors
/// When a store refuses.
///
/// # Panics
/// When the CRM's change is not in ClickHouse in time.
pub async fn worn_in_2020(stack: &Topology) -> anyhow::Result<String> {
    const PROSTHESIS: &str = "01900000-0000-7000-a000-000000002020";
    let crm = crm::connect(stack).await?;
    // The patients who can sign in see no readings of ours.
    let ours: Vec<_> = stack
        .users
        .iter()
        .filter_map(|user| user.customer_id)
        .collect();
    let wearer = "SELECT id FROM customers WHERE id <> ALL($1) ORDER BY id LIMIT 1";
    let wearer: Uuid = crm.query_one(wearer, &[&ours]).await?.get(0);
    crm.batch_execute(&format!(
        "INSERT INTO prostheses (id, serial_number, model, side, firmware, manufactured_on)
         VALUES ('{PROSTHESIS}', 'TEST-2020', 'Test', 'left', '1.0', '2019-01-01') ON CONFLICT DO NOTHING;
         INSERT INTO assignments (id, prosthesis_id, customer_id, valid_from, valid_to)
         VALUES ('{PROSTHESIS}', '{PROSTHESIS}', '{wearer}', '2020-01-01Z', '2021-01-01Z') ON CONFLICT DO NOTHING"
    ))
    .await?;
    let query = format!(
        "SELECT toUInt32(count()) FROM {}.crm_assignments WHERE id = '{PROSTHESIS}'",
        stack.clickhouse.database
    );
    eventually("the assignment is in ClickHouse", ARRIVAL, || async {
        let rows = crm::query_clickhouse::<[u32; 1]>(stack, &query).await;
        rows.is_ok_and(|rows| rows[0][0] == 1)
    })
    .await;
    Ok(PROSTHESIS.to_owned())
}
