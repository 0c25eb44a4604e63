//! ClickHouse: the tables that this service owns.

use bionicpro_mesh::clickhouse::{Migration, traced};
use chrono::{DateTime, Utc};
use clickhouse::{Client, Compression, Row, error::Error};
use serde::Deserialize;
use uuid::Uuid;

use crate::{moved::Version, tables::Table, watermark::SourcePosition};

/// How many versions of a row are looked at: merges soon leave one.
const MOST_VERSIONS: usize = 100;

macro_rules! migrations {
    ($($name:literal),* $(,)?) => {
        [$(Migration { name: $name, sql: include_str!(concat!("../../migrations/", $name, ".sql")) }),*]
    };
}

/// The tables and views, in order.
pub(crate) const MIGRATIONS: [Migration; 6] = migrations![
    "0001_crm_customers",
    "0002_crm_prostheses",
    "0003_crm_assignments",
    "0004_crm_service_visits",
    "0005_crm_watermarks",
    "0006_cdc_dead_letters",
];

/// Writes and reads the tables.
#[derive(Clone)]
pub(crate) struct Store {
    client: Client,
}

#[derive(Row, Deserialize)]
struct StoredVersion {
    version: u128,
    is_deleted: u8,
    texts: Vec<String>,
}

impl Store {
    pub(crate) fn new(client: Client) -> Self {
        // An insert is answered when it is durable. Compression costs more than it saves on the
        // way to a near server.
        let client = client
            .with_compression(Compression::None)
            .with_setting("async_insert", "0")
            // What is merged at once cannot be looked up again when a key was changed.
            .with_setting("optimize_on_insert", "0");
        Self { client }
    }

    /// The client, for blocks that are inserted.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Asks whether ClickHouse answers and has the tables.
    ///
    /// # Errors
    /// It does not.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        self.client
            .query("SELECT 1 FROM crm_watermarks LIMIT 0")
            .execute()
            .await
    }

    /// The versions of a row that are still stored, with their texts, the newest first.
    ///
    /// # Errors
    /// ClickHouse does not answer.
    pub(crate) async fn versions(&self, table: &Table, id: Uuid) -> Result<Vec<Version>, Error> {
        let texts: Vec<_> = table
            .texts()
            .map(|name| format!("toString({name})"))
            .collect();
        let sql = format!(
            "SELECT version, is_deleted, [{}]::Array(String) AS texts FROM {} \
             WHERE id = toUUID(?) ORDER BY version DESC LIMIT {MOST_VERSIONS}",
            texts.join(", "),
            table.target
        );
        let stored: Vec<StoredVersion> = traced(&self.client)
            .query(&sql)
            .bind(id.to_string())
            .fetch_all()
            .await?;
        let version = |stored: StoredVersion| Version {
            number: stored.version,
            is_deleted: stored.is_deleted != 0,
            texts: stored.texts,
        };
        Ok(stored.into_iter().map(version).collect())
    }

    /// Writes the watermark of `source`.
    ///
    /// # Errors
    /// It may or may not be written.
    pub(crate) async fn write_watermark(
        &self,
        source: &str,
        reached: SourcePosition,
    ) -> Result<(), Error> {
        self.client
            .query(
                "INSERT INTO crm_watermarks (source, position, time) \
                 SELECT ?, ?, fromUnixTimestamp64Micro(toInt64(?), 'UTC')",
            )
            .bind(source)
            .bind(reached.lsn)
            .bind(reached.committed_us)
            .execute()
            .await
    }

    /// The watermark of `source`; none before the first one.
    ///
    /// # Errors
    /// ClickHouse does not answer.
    pub(crate) async fn watermark(&self, source: &str) -> Result<Option<DateTime<Utc>>, Error> {
        let micros: Option<i64> = traced(&self.client)
            .query(
                "SELECT toUnixTimestamp64Micro(time) FROM crm_watermarks \
                 WHERE source = ? ORDER BY position DESC LIMIT 1",
            )
            .bind(source)
            .fetch_optional()
            .await?;
        Ok(micros.and_then(DateTime::from_timestamp_micros))
    }

    /// How many messages were set aside.
    ///
    /// # Errors
    /// ClickHouse does not answer.
    pub(crate) async fn dead_letters(&self) -> Result<u64, Error> {
        traced(&self.client)
            .query("SELECT count() FROM cdc_dead_letters FINAL")
            .fetch_one()
            .await
    }
}

/// Where dead letters go.
pub(crate) const DEAD_LETTERS: &str = "cdc_dead_letters";
