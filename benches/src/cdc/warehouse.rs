//! What this benchmark has in the database beside our tables: one of the same shape that
//! ClickHouse's Kafka engine fills, and the engine itself.

use bionicpro_tests::stack;

use crate::services::Service;
use crate::warehouse::Warehouse;

/// What our consumer fills.
pub(crate) const OURS: &str = "crm_customers_versions";
/// What the Kafka engine fills.
pub(crate) const ENGINES: &str = "engine_customers_versions";

/// What is in a table: every row, every column goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) rows: u64,
    pub(crate) positions: u128,
    checksum: u64,
}

impl Warehouse {
    /// Makes both tables anew.
    pub(crate) fn empty_tables(&self, consumer: &Service) -> anyhow::Result<()> {
        self.make_anew(&[consumer])?;
        self.create_like(OURS, ENGINES)
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
}
