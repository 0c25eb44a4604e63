//! What a file shows: the report as plain text values, the same in every format and language. Its
//! fields are the JSON format's schema, `bionicpro.report.v1`: within a version nothing is renamed or
//! removed. Not here: how a format writes it.

use chrono::{DateTime, SecondsFormat, Utc};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::freshness::Freshness;
use crate::period::{Kind, Period};
use crate::report::{Measures, Report, Totals};

const SCHEMA: &str = "bionicpro.report.v1";
/// Digits behind the point of a mean.
const SCALE: u64 = 1000;

/// The whole of a file. Days are `YYYY-MM-DD`, times RFC 3339, both UTC; decimals are texts, as a
/// reader's floating point would change them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) schema: String,
    pub(crate) customer_id: String,
    pub(crate) full_name: String,
    pub(crate) period: Days,
    pub(crate) totals: Numbers,
    pub(crate) previous_period: Days,
    pub(crate) previous_totals: Numbers,
    pub(crate) days: Vec<Day>,
    pub(crate) grips: Vec<Grip>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) prostheses: Vec<Prosthesis>,
    pub(crate) service_visits: Vec<Visit>,
    pub(crate) freshness: Sources,
}

/// A period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Days {
    pub(crate) kind: String,
    pub(crate) start_day: String,
    pub(crate) end_day: String,
}

/// The numbers of some days; without readings there are no measures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Numbers {
    pub(crate) readings: u64,
    pub(crate) active_days: u32,
    pub(crate) use_ms: u64,
    pub(crate) response_ms_mean: Option<String>,
    pub(crate) response_ms_p95: Option<u32>,
    pub(crate) force_mn_mean: Option<String>,
    pub(crate) emg_quality_pct_mean: Option<String>,
    pub(crate) battery_pct_min: Option<u8>,
    pub(crate) faults: u64,
}

/// The numbers of one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Day {
    pub(crate) day: String,
    #[serde(flatten)]
    pub(crate) numbers: Numbers,
}

/// The use of one grip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grip {
    pub(crate) grip: String,
    pub(crate) readings: u64,
    pub(crate) use_ms: u64,
}

/// How often one fault came up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fault {
    pub(crate) fault_code: String,
    pub(crate) readings: u64,
    pub(crate) last_day: String,
}

/// A prosthesis while it was the customer's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Prosthesis {
    pub(crate) prosthesis_id: String,
    pub(crate) serial_number: String,
    pub(crate) model: String,
    pub(crate) side: String,
    pub(crate) firmware: String,
    pub(crate) valid_from: String,
    pub(crate) valid_to: Option<String>,
}

/// A visit to the workshop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Visit {
    pub(crate) prosthesis_id: String,
    pub(crate) visited_at: String,
    pub(crate) kind: String,
}

/// Up to when the sources are complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sources {
    pub(crate) telemetry_watermark: Option<String>,
    pub(crate) previous_telemetry_watermark: Option<String>,
    pub(crate) crm_watermark: Option<String>,
    pub(crate) generated_at: String,
}

impl Document {
    pub(crate) fn of(report: &Report) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            customer_id: report.customer.0.to_string(),
            full_name: report.full_name.clone(),
            period: days(report.period),
            totals: numbers(report.totals),
            previous_period: days(report.period.previous()),
            previous_totals: numbers(report.previous_totals),
            days: by_day(report),
            grips: grips(report),
            faults: faults(report),
            prostheses: prostheses(report),
            service_visits: visits(report),
            freshness: sources(report.freshness),
        }
    }

    /// The same content, as fresh as this says.
    pub(crate) fn as_fresh_as(&self, freshness: Freshness) -> Self {
        Self {
            freshness: sources(freshness),
            ..self.clone()
        }
    }

    /// The digest of all that depends on this customer's data. What moves with everybody's is left
    /// out (see [`Freshness::of_whole_days`]): another customer's change makes no other file.
    pub(crate) fn content_digest(report: &Report) -> Result<[u8; 32], Error> {
        let own = report.freshness.of_whole_days(report.period);
        let own = Self {
            freshness: sources(own),
            ..Self::of(report)
        };
        let digest = digest(&SHA256, &serde_json::to_vec(&own)?);
        Ok(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

/// A quotient as a decimal text, rounded half up.
fn decimal(sum: u64, count: u64) -> String {
    let scaled = u128::from(sum) * u128::from(SCALE) * 2 + u128::from(count);
    let scaled = scaled / (u128::from(count) * 2);
    let scale = u128::from(SCALE);
    format!("{}.{:03}", scaled / scale, scaled % scale)
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn days(period: Period) -> Days {
    let kind = match period.kind {
        Kind::Day => "DAY",
        Kind::Week => "WEEK",
        Kind::Month => "MONTH",
        Kind::Range => "RANGE",
    };
    Days {
        kind: kind.to_owned(),
        start_day: period.first.to_string(),
        end_day: period.last.to_string(),
    }
}

fn numbers(totals: Totals) -> Numbers {
    let mean = |sum: fn(Measures) -> u64| {
        let measures = totals.measures;
        measures.map(|it| decimal(sum(it), totals.readings))
    };
    Numbers {
        readings: totals.readings,
        active_days: totals.active_days,
        use_ms: totals.use_ms,
        response_ms_mean: mean(|it| it.response_ms_sum),
        response_ms_p95: totals.measures.map(|it| it.response_ms_p95),
        force_mn_mean: mean(|it| it.force_mn_sum),
        emg_quality_pct_mean: mean(|it| it.emg_quality_pct_sum),
        battery_pct_min: totals.measures.map(|it| it.battery_pct_min),
        faults: totals.faults,
    }
}

fn by_day(report: &Report) -> Vec<Day> {
    let days = report.days.iter();
    days.map(|(day, totals)| Day {
        day: day.to_string(),
        numbers: numbers(*totals),
    })
    .collect()
}

fn grips(report: &Report) -> Vec<Grip> {
    let grips = report.grips.iter();
    grips
        .map(|it| Grip {
            grip: it.grip.clone(),
            readings: it.readings,
            use_ms: it.use_ms,
        })
        .collect()
}

fn faults(report: &Report) -> Vec<Fault> {
    let faults = report.faults.iter();
    faults
        .map(|it| Fault {
            fault_code: it.fault_code.clone(),
            readings: it.readings,
            last_day: it.last_day.to_string(),
        })
        .collect()
}

fn prostheses(report: &Report) -> Vec<Prosthesis> {
    let prostheses = report.prostheses.iter();
    prostheses
        .map(|it| Prosthesis {
            prosthesis_id: it.id.to_string(),
            serial_number: it.serial_number.clone(),
            model: it.model.clone(),
            side: it.side.clone(),
            firmware: it.firmware.clone(),
            valid_from: time(it.valid_from),
            valid_to: it.valid_to.map(time),
        })
        .collect()
}

fn visits(report: &Report) -> Vec<Visit> {
    let visits = report.service_visits.iter();
    visits
        .map(|it| Visit {
            prosthesis_id: it.prosthesis.to_string(),
            visited_at: time(it.visited_at),
            kind: it.kind.clone(),
        })
        .collect()
}

fn sources(freshness: Freshness) -> Sources {
    Sources {
        telemetry_watermark: freshness.telemetry.map(time),
        previous_telemetry_watermark: freshness.previous_telemetry.map(time),
        crm_watermark: freshness.crm.map(time),
        generated_at: time(freshness.generated_at),
    }
}

#[cfg(test)]
pub(in crate::export) mod tests;
