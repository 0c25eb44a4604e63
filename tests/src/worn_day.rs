//! A day long before the seeded time on which somebody wears a prosthesis, and the oracle of its
//! readings: what was sent is stored, and the mart counts each once.

use std::time::Duration;

use anyhow::Context;
use bionicpro_proto::ingest::v1::{Reading, RunState};

use crate::devices::{Devices, all_arrived, readings};
use crate::loader::Etl;
use crate::telemetry::{Telemetry, mart, worn_in_2020};
use crate::{Topology, eventually};

/// How long the day may take to be loaded where a part was away.
const LIMIT: Duration = Duration::from_secs(90);

/// The day. Each test has one of its own.
pub struct WornDay {
    stack: &'static Topology,
    name: &'static str,
    begins: i64,
    prosthesis: String,
    etl: Etl<'static>,
    /// Readings that the mart has had before.
    before: usize,
    /// Sends readings.
    pub devices: Devices,
}

impl WornDay {
    /// A day of 2020, `YYYY-MM-DD`, as it is when it is loaded.
    ///
    /// # Errors
    /// When a store refuses.
    ///
    /// # Panics
    /// When it is not loaded in time.
    pub async fn of(stack: &'static Topology, name: &'static str) -> anyhow::Result<Self> {
        let telemetry = Telemetry::connect(stack).await?;
        let place = format!(
            "SELECT create_readings_day('{name}'), extract(epoch FROM timestamptz '{name}Z')::bigint"
        );
        let rows = telemetry.query(&place).await?;
        let begins = rows.first().and_then(|row| row[1].as_deref());
        let mut day = Self {
            stack,
            name,
            begins: begins.context("no such day")?.parse()?,
            prosthesis: worn_in_2020(stack).await?,
            etl: Etl::new(stack).await?,
            before: 0,
            devices: Devices::new(stack).await?,
        };
        day.before = day.counted().await?;
        Ok(day)
    }

    /// Good readings of the day.
    #[must_use]
    pub fn readings(&self, count: usize) -> Vec<Reading> {
        readings(&self.prosthesis, self.begins, count)
    }

    /// All are stored, and each counts once.
    ///
    /// # Panics
    /// When that is not so.
    pub async fn assert_kept(&self, sent: &[Reading]) {
        all_arrived(self.stack, sent).await;
        self.etl.answers().await;
        let counted = self.counted().await;
        let counted = counted.unwrap_or_else(|error| panic!("{error:#}"));
        assert_eq!(counted, self.before + sent.len());
    }

    /// How many readings the mart counts.
    async fn counted(&self) -> anyhow::Result<usize> {
        // Where Kafka was away, the CRM's changes may be behind for a while.
        eventually("the day is loaded", LIMIT, || async {
            let run = self.etl.load(self.name, self.name).await;
            run.state() == RunState::Succeeded
        })
        .await;
        let mart = mart(self.stack, self.name).await?;
        let counts = mart.iter().filter_map(|row| row[2].as_deref());
        let counts = counts.map(str::parse::<usize>);
        Ok(counts.sum::<Result<_, _>>()?)
    }
}
