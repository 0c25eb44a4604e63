//! The benchmark's own database: the tables of our migrations, and of the same
//! shape the one that ClickHouse's Kafka engine fills.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bionicpro_tests::{crm, http, stack};
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use super::consumer;
use crate::baselines;

/// What our consumer fills.
pub(crate) const OURS: &str = "crm_customers_versions";
/// What the Kafka engine fills.
pub(crate) const ENGINES: &str = "engine_customers_versions";
/// How often rows are counted: each count costs ClickHouse a millisecond or two.
const POLL: Duration = Duration::from_millis(50);
/// How long a log may take to arrive.
const LIMIT: Duration = Duration::from_secs(300);

/// What is in a table: every row, every column goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) rows: u64,
    pub(crate) positions: u128,
    checksum: u64,
}

/// The database; dropped in the end.
pub(crate) struct Warehouse {
    database: &'static str,
    runtime: Runtime,
}

impl Warehouse {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            database: &stack().clickhouse.bench_database,
            runtime: Runtime::new()?,
        })
    }

    /// Makes the tables anew, ours by the `migrate` of `consumer`.
    pub(crate) fn make_anew(&self, consumer: &Path) -> anyhow::Result<()> {
        let database = self.database;
        self.execute(&format!("DROP DATABASE IF EXISTS {database} SYNC"))?;
        self.execute(&format!("CREATE DATABASE {database}"))?;
        baselines::run(Command::new(consumer).arg("migrate").envs(consumer::told()))?;
        // Nothing is inserted twice there: it needs no memory of its blocks.
        self.execute(&format!(
            "CREATE TABLE {database}.{ENGINES} AS {database}.{OURS}"
        ))?;
        self.execute(&format!(
            "ALTER TABLE {database}.{ENGINES} MODIFY SETTING non_replicated_deduplication_window = 0"
        ))
    }

    /// Lets the Kafka engine read a topic into its table: raw messages, each parsed once, by as
    /// many consumers as the machine has cores for. `flush_ms` is how long rows wait for company.
    pub(crate) fn start_engine(
        &self,
        topic: &str,
        group: &str,
        flush_ms: u32,
    ) -> anyhow::Result<()> {
        let (database, brokers) = (self.database, &stack().kafka.brokers);
        self.execute(&format!(
            "CREATE TABLE {database}.engine_queue (message String) ENGINE = Kafka SETTINGS \
             kafka_broker_list = '{brokers}', kafka_topic_list = '{topic}', \
             kafka_group_name = '{group}', kafka_format = 'RawBLOB', \
             kafka_num_consumers = 2, kafka_thread_per_consumer = 1, \
             kafka_poll_timeout_ms = {poll_ms}, kafka_flush_interval_ms = {flush_ms}",
            poll_ms = flush_ms / 5,
        ))?;
        self.execute(&format!(
            "CREATE MATERIALIZED VIEW {database}.engine_load TO {database}.{ENGINES} AS {}",
            include_str!("engine_load.sql").replace("{database}", database)
        ))
    }

    /// Stops it.
    pub(crate) fn stop_engine(&self) -> anyhow::Result<()> {
        let database = self.database;
        self.execute(&format!("DROP VIEW {database}.engine_load SYNC"))?;
        self.execute(&format!("DROP TABLE {database}.engine_queue SYNC"))
    }

    /// Waits until a table has so many rows.
    pub(crate) fn wait_for_rows(&self, table: &str, rows: u64) -> anyhow::Result<()> {
        let query = format!("SELECT toUInt32(count()) FROM {}.{table}", self.database);
        let began = Instant::now();
        loop {
            let [there]: [u64; 1] = self.one(&query)?;
            if there >= rows {
                return Ok(());
            }
            ensure!(
                began.elapsed() < LIMIT,
                "{table} has {there} rows of {rows} after {LIMIT:?}"
            );
            thread::sleep(POLL);
        }
    }

    /// What is in a table.
    pub(crate) fn content(&self, table: &str) -> anyhow::Result<Content> {
        let query = format!(
            "SELECT toString(count()), toString(sum(bitShiftRight(version, 64))), \
             toString(sum(cityHash64(*))) FROM {}.{table}",
            self.database
        );
        let [rows, positions, checksum]: [String; 3] = self.one(&query)?;
        Ok(Content {
            rows: rows.parse()?,
            positions: positions.parse()?,
            checksum: checksum.parse()?,
        })
    }

    /// How many messages were set aside.
    pub(crate) fn dead_letters(&self) -> anyhow::Result<u64> {
        let query = format!(
            "SELECT toUInt32(count()) FROM {}.cdc_dead_letters",
            self.database
        );
        let [dead] = self.one(&query)?;
        Ok(dead)
    }

    fn one<T: DeserializeOwned>(&self, query: &str) -> anyhow::Result<T> {
        let rows = self.rows(query)?;
        rows.into_iter().next().context("ClickHouse answers no row")
    }

    fn rows<T: DeserializeOwned>(&self, query: &str) -> anyhow::Result<Vec<T>> {
        self.runtime.block_on(crm::query_clickhouse(stack(), query))
    }

    fn execute(&self, statement: &str) -> anyhow::Result<()> {
        self.runtime.block_on(async {
            let request = http().post(stack().clickhouse.url.clone());
            let answer = request.body(statement.to_owned()).send().await?;
            let succeeded = answer.status().is_success();
            let text = answer.text().await?;
            ensure!(succeeded, "{statement}: {text}");
            Ok(())
        })
    }
}

impl Drop for Warehouse {
    fn drop(&mut self) {
        // What is left is dropped by the next run.
        let _ = self.execute(&format!("DROP DATABASE IF EXISTS {} SYNC", self.database));
    }
}
