//! Rows as ClickHouse answers them, and the values that they become.

use chrono::{DateTime, NaiveDate, Utc};
use clickhouse::Row;
use serde::Deserialize;
use uuid::Uuid;

use crate::freshness::LoadedDay;
use crate::report::{DayUsage, GripUse, Measures, Prosthesis, ServiceVisit, Totals, Usage};

/// The numbers of some days, in the order of `totals.sql`.
type TotalsRow = (u32, u64, u64, u64, u64, u32, u64, u64, u8);

impl From<TotalsRow> for Totals {
    fn from(row: TotalsRow) -> Self {
        let (
            active_days,
            readings,
            use_ms,
            faults,
            response_ms_sum,
            response_ms_p95,
            force_mn_sum,
            emg_quality_pct_sum,
            battery_pct_min,
        ) = row;
        let measures = Measures {
            response_ms_sum,
            response_ms_p95,
            force_mn_sum,
            emg_quality_pct_sum,
            battery_pct_min,
        };
        Self {
            readings,
            active_days,
            use_ms,
            faults,
            measures: (readings > 0).then_some(measures),
        }
    }
}

/// The row of a grouping set of `usage.sql`.
#[derive(Row, Deserialize)]
pub(super) struct UsageRow {
    is_current: bool,
    is_day: bool,
    #[serde(with = "clickhouse::serde::chrono::date")]
    day: NaiveDate,
    totals: TotalsRow,
    grips_by_readings: Vec<(String, u64)>,
    grips_by_use: Vec<(String, u64)>,
    faults_by_code: Vec<(String, u64)>,
}

impl UsageRow {
    fn grips(&self) -> Vec<GripUse> {
        let use_ms = |grip: &str| {
            let mut by_use = self.grips_by_use.iter();
            by_use.find(|(name, _)| name == grip).map_or(0, |it| it.1)
        };
        let grips = self.grips_by_readings.iter();
        grips
            .map(|(grip, readings)| GripUse {
                grip: grip.clone(),
                readings: *readings,
                use_ms: use_ms(grip),
            })
            .collect()
    }
}

/// The rows of `usage.sql` for a period that begins on `first`.
pub(super) fn usage(rows: Vec<UsageRow>, first: NaiveDate) -> Usage {
    let mut usage = Usage::default();
    for row in rows {
        match (row.is_day, row.is_current) {
            (false, true) => usage.totals = row.totals.into(),
            (false, false) => usage.previous_totals = row.totals.into(),
            (true, _) if row.day < first => {}
            (true, _) => usage.days.push(DayUsage {
                day: row.day,
                totals: row.totals.into(),
                grips: row.grips(),
                faults: row.faults_by_code,
            }),
        }
    }
    usage
}

/// A row of `summaries.sql`.
#[derive(Row, Deserialize)]
pub(super) struct SummaryRow {
    #[serde(with = "clickhouse::serde::chrono::date")]
    starts: NaiveDate,
    totals: TotalsRow,
}

impl From<SummaryRow> for (NaiveDate, Totals) {
    fn from(row: SummaryRow) -> Self {
        (row.starts, row.totals.into())
    }
}

#[derive(Row, Deserialize)]
pub(super) struct ProsthesisRow {
    #[serde(with = "clickhouse::serde::uuid")]
    id: Uuid,
    serial_number: String,
    model: String,
    side: String,
    firmware: String,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    valid_from: DateTime<Utc>,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros::option")]
    valid_to: Option<DateTime<Utc>>,
}

impl From<ProsthesisRow> for Prosthesis {
    fn from(row: ProsthesisRow) -> Self {
        Self {
            id: row.id,
            serial_number: row.serial_number,
            model: row.model,
            side: row.side,
            firmware: row.firmware,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
        }
    }
}

#[derive(Row, Deserialize)]
pub(super) struct ServiceVisitRow {
    #[serde(with = "clickhouse::serde::uuid")]
    prosthesis_id: Uuid,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    visited_at: DateTime<Utc>,
    kind: String,
}

impl From<ServiceVisitRow> for ServiceVisit {
    fn from(row: ServiceVisitRow) -> Self {
        Self {
            prosthesis: row.prosthesis_id,
            visited_at: row.visited_at,
            kind: row.kind,
        }
    }
}

#[derive(Row, Deserialize)]
pub(super) struct LoadedDayRow {
    #[serde(with = "clickhouse::serde::chrono::date")]
    day: NaiveDate,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    complete_until: DateTime<Utc>,
}

impl From<LoadedDayRow> for LoadedDay {
    fn from(row: LoadedDayRow) -> Self {
        Self {
            day: row.day,
            complete_until: row.complete_until,
        }
    }
}

#[derive(Row, Deserialize)]
pub(super) struct CrmWatermarkRow {
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    pub(super) time: DateTime<Utc>,
}

#[derive(Row, Deserialize)]
pub(super) struct DayRow {
    #[serde(with = "clickhouse::serde::chrono::date")]
    pub(super) day: NaiveDate,
}

/// A row of `reopened_days.sql`.
#[derive(Row, Deserialize)]
pub(super) struct ReopenedDayRow {
    #[serde(with = "clickhouse::serde::chrono::date")]
    pub(super) day: NaiveDate,
    pub(super) has_arrivals: bool,
}
