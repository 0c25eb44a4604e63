//! The day that is loaded: its readings in Postgres, and who wore the prostheses in ClickHouse.

use anyhow::ensure;
use bionicpro_tests::stack;
use url::Url;

use crate::schema::Schema;
use crate::services::{self, Service};
use crate::warehouse::Warehouse;

/// The day; any that is over.
pub(super) const DAY: &str = "2026-11-02";
/// People who wear a prosthesis; half of the prostheses change hands at noon.
const WEARERS: usize = 20_000;
/// Our mart and that of the baselines.
pub(super) const OURS: &str = "report_daily";
pub(super) const PLAIN: &str = "plain_daily";
/// Where the baselines put the readings.
pub(super) const PLAIN_READINGS: &str = "plain_readings";

/// The day's readings, and all tables.
pub(super) struct World {
    pub(super) readings: u64,
    pub(super) source: Schema,
    pub(super) warehouse: Warehouse,
    /// Where runs are recorded.
    _runs: Schema,
}

impl World {
    /// Makes a day of so many readings; `ingest` is the service that loads it.
    pub(super) fn make(
        readings: usize,
        ingest: impl Fn(&Schema, &Schema) -> anyhow::Result<Service>,
    ) -> anyhow::Result<(Self, Service)> {
        let databases = &stack().postgres.databases;
        let source = Schema::create(&databases.telemetry.url)?;
        let runs = Schema::create(&databases.bionicpro.url)?;
        let reader = Url::parse(&stack().postgres.telemetry_reader_url)?;
        let fill = include_str!("fill.sql")
            .replace("{schema}", source.name())
            .replace("{reader}", reader.username())
            .replace("{day}", DAY)
            .replace("{readings}", &readings.to_string())
            .replace("{wearers}", &WEARERS.to_string());
        source.execute(&fill)?;
        let service = ingest(&source, &runs)?;
        let warehouse = Warehouse::create(&[&services::cdc()?, &service])?;
        warehouse.create_like("telemetry_readings", PLAIN_READINGS)?;
        warehouse.create_like("report_daily", PLAIN)?;
        let wear = include_str!("wear.sql").replace("{wearers}", &WEARERS.to_string());
        warehouse.execute(&wear)?;
        // The CRM has no changes: as if they were all there, for ever.
        warehouse.execute(
            "INSERT INTO {database}.crm_watermarks VALUES ('bench', 1, '2100-01-01 00:00:00')",
        )?;
        let readings = u64::try_from(readings)?;
        let world = Self {
            readings,
            source,
            warehouse,
            _runs: runs,
        };
        Ok((world, service))
    }

    /// Empties all tables: each round is the first load of the day. The watermark goes first: a day
    /// that counts as loaded and has no mart would be loaded again by itself.
    pub(super) fn forget(&self) -> anyhow::Result<()> {
        let ours = ["telemetry_watermarks", OURS, "telemetry_readings"];
        self.warehouse.empty(&ours)?;
        self.warehouse.empty(&[PLAIN, PLAIN_READINGS])
    }

    /// The mart has every reading, as whoever wore the prosthesis then has them.
    pub(super) fn check(&self, mart: &str) -> anyhow::Result<()> {
        let query = format!(
            "SELECT toString(sum(readings)), toString(sum(use_ms) + sum(response_ms_sum)), \
             toString(countIf(readings > 0)), toString(sum(faults)) FROM {}.{mart}",
            self.warehouse.database
        );
        let [readings, sums, stretches, faults]: [String; 4] = self.warehouse.one(&query)?;
        let stretches_there = WEARERS + WEARERS / 2;
        // As fill.sql makes them.
        let expected: u64 = (0..self.readings)
            .map(|it| 500 + it % 3_000 + 100 + it % 200)
            .sum();
        let faulty = self.readings.div_ceil(500);
        ensure!(
            (readings, sums, faults)
                == (
                    self.readings.to_string(),
                    expected.to_string(),
                    faulty.to_string()
                ),
            "{mart} is not the day's mart"
        );
        ensure!(
            stretches == stretches_there.to_string(),
            "{mart} has {stretches} stretches of {stretches_there}"
        );
        Ok(())
    }
}
