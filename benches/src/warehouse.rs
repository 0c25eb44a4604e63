//! The benchmarks' own database in the stack's ClickHouse: the tables of our services' migrations,
//! and those of the baselines, of the same shape.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bionicpro_tests::{crm, stack};
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use crate::services::Service;

/// How often rows are counted: each count costs ClickHouse a millisecond or two.
const POLL: Duration = Duration::from_millis(50);
/// How long rows may take to arrive.
const LIMIT: Duration = Duration::from_secs(300);

/// The database; dropped in the end.
pub(crate) struct Warehouse {
    pub(crate) database: &'static str,
    runtime: Runtime,
}

impl Warehouse {
    /// Makes the database anew, with the tables of these services.
    pub(crate) fn create(services: &[&Service]) -> anyhow::Result<Self> {
        let warehouse = Self {
            database: &stack().clickhouse.bench_database,
            runtime: Runtime::new()?,
        };
        warehouse.make_anew(services)?;
        Ok(warehouse)
    }

    /// Drops everything, and makes the tables of these services again.
    pub(crate) fn make_anew(&self, services: &[&Service]) -> anyhow::Result<()> {
        let database = self.database;
        self.execute(&format!("DROP DATABASE IF EXISTS {database} SYNC"))?;
        self.execute(&format!("CREATE DATABASE {database}"))?;
        services.iter().try_for_each(|service| service.migrate())
    }

    /// Makes a baseline's table, of the shape of one of ours. Nothing is inserted twice there: it
    /// needs no memory of its blocks.
    pub(crate) fn create_like(&self, ours: &str, table: &str) -> anyhow::Result<()> {
        let database = self.database;
        self.execute(&format!(
            "CREATE TABLE {database}.{table} AS {database}.{ours}"
        ))?;
        self.execute(&format!(
            "ALTER TABLE {database}.{table} MODIFY SETTING non_replicated_deduplication_window = 0"
        ))
    }

    /// Empties tables, in this order.
    pub(crate) fn empty(&self, tables: &[&str]) -> anyhow::Result<()> {
        let database = self.database;
        tables
            .iter()
            .try_for_each(|table| self.execute(&format!("TRUNCATE TABLE {database}.{table} SYNC")))
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

    /// The only row of a query.
    pub(crate) fn one<T: DeserializeOwned>(&self, query: &str) -> anyhow::Result<T> {
        let rows = self
            .runtime
            .block_on(crm::query_clickhouse(stack(), query))?;
        rows.into_iter().next().context("ClickHouse answers no row")
    }

    /// Runs a statement; `{database}` in it is this one.
    pub(crate) fn execute(&self, statement: &str) -> anyhow::Result<()> {
        let statement = statement.replace("{database}", self.database);
        self.runtime
            .block_on(crm::change_clickhouse(stack(), &statement))
    }
}

impl Drop for Warehouse {
    fn drop(&mut self) {
        // What is left is dropped by the next run.
        let _ = self.execute("DROP DATABASE IF EXISTS {database} SYNC");
    }
}
