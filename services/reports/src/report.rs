//! A customer's report as values, and how it is put together from what the stores know. Not here:
//! how it is read or sent.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::error::Error;
use crate::freshness::Freshness;
use crate::period::{CalendarKind, Period, Selection};
use crate::store::Warehouse;

/// The CRM's identifier of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CustomerId(pub(crate) Uuid);

/// One customer's report for a period.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report {
    pub(crate) customer: CustomerId,
    pub(crate) full_name: String,
    pub(crate) period: Period,
    pub(crate) totals: Totals,
    pub(crate) previous_totals: Totals,
    /// Every day of the period, in order.
    pub(crate) days: Vec<(NaiveDate, Totals)>,
    /// Most used first.
    pub(crate) grips: Vec<GripUse>,
    /// Most frequent first.
    pub(crate) faults: Vec<FaultCount>,
    pub(crate) prostheses: Vec<Prosthesis>,
    pub(crate) service_visits: Vec<ServiceVisit>,
    pub(crate) freshness: Freshness,
}

/// The numbers of some days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) readings: u64,
    pub(crate) active_days: u32,
    pub(crate) use_ms: u64,
    pub(crate) faults: u64,
    /// Absent without readings.
    pub(crate) measures: Option<Measures>,
}

/// What is measured with each reading, over all readings of some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measures {
    pub(crate) response_ms_sum: u64,
    pub(crate) response_ms_p95: u32,
    pub(crate) force_mn_sum: u64,
    pub(crate) emg_quality_pct_sum: u64,
    pub(crate) battery_pct_min: u8,
}

/// The use of one grip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GripUse {
    pub(crate) grip: String,
    pub(crate) readings: u64,
    pub(crate) use_ms: u64,
}

/// How often one fault came up, and when last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FaultCount {
    pub(crate) fault_code: String,
    pub(crate) readings: u64,
    pub(crate) last_day: NaiveDate,
}

/// A prosthesis while it was the customer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prosthesis {
    pub(crate) id: Uuid,
    pub(crate) serial_number: String,
    pub(crate) model: String,
    pub(crate) side: String,
    pub(crate) firmware: String,
    pub(crate) valid_from: DateTime<Utc>,
    pub(crate) valid_to: Option<DateTime<Utc>>,
}

/// A visit to the workshop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceVisit {
    pub(crate) prosthesis: Uuid,
    pub(crate) visited_at: DateTime<Utc>,
    pub(crate) kind: String,
}

/// What the datamart knows of a period and the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) totals: Totals,
    pub(crate) previous_totals: Totals,
    /// The days of the period that have readings.
    pub(crate) days: Vec<DayUsage>,
}

/// A day that has readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DayUsage {
    pub(crate) day: NaiveDate,
    pub(crate) totals: Totals,
    pub(crate) grips: Vec<GripUse>,
    /// Readings by fault code.
    pub(crate) faults: Vec<(String, u64)>,
}

/// Puts a customer's report together.
pub(crate) async fn of(
    warehouse: &Warehouse,
    customer: CustomerId,
    selection: Selection,
) -> Result<Report, Error> {
    let period = match selection {
        Selection::Period(period) => period,
        Selection::Latest(kind) => latest(warehouse, customer, kind).await?,
    };
    // Before the data: what comes in between only makes the report fresher than it says.
    let (watermarks, mut reopened) = futures::try_join!(
        warehouse.watermarks(period),
        warehouse.reopened_days(customer, period),
    )?;
    let (full_name, usage, prostheses, service_visits) = futures::try_join!(
        warehouse.full_name(customer),
        warehouse.usage(customer, period),
        warehouse.prostheses(customer, period),
        warehouse.service_visits(customer, period),
    )?;
    // After the data, too: a day is missing there if the CRM took it out of the mart before they
    // were read, or if it was loaded again only afterwards.
    reopened.extend(warehouse.reopened_days(customer, period).await?);
    Ok(Report {
        customer,
        full_name: full_name.ok_or(Error::CustomerNotFound)?,
        period,
        totals: usage.totals,
        previous_totals: usage.previous_totals,
        grips: grips(&usage.days),
        faults: faults(&usage.days),
        days: every_day(period, &usage.days),
        prostheses,
        service_visits,
        freshness: watermarks.without(&reopened),
    })
}

/// The period of the latest day that has readings; without any, the current one.
async fn latest(
    warehouse: &Warehouse,
    customer: CustomerId,
    kind: CalendarKind,
) -> Result<Period, Error> {
    let day = warehouse.latest_day(customer).await?;
    let day = day.unwrap_or_else(|| Utc::now().date_naive());
    Ok(Period::around(kind, day))
}

fn every_day(period: Period, usage: &[DayUsage]) -> Vec<(NaiveDate, Totals)> {
    let known: BTreeMap<_, _> = usage.iter().map(|it| (it.day, it.totals)).collect();
    let days = period.days();
    days.map(|day| (day, known.get(&day).copied().unwrap_or_default()))
        .collect()
}

fn grips(usage: &[DayUsage]) -> Vec<GripUse> {
    let mut sums = BTreeMap::<&str, (u64, u64)>::new();
    for it in usage.iter().flat_map(|day| &day.grips) {
        let sum = sums.entry(&it.grip).or_default();
        *sum = (sum.0 + it.readings, sum.1 + it.use_ms);
    }
    let mut grips: Vec<_> = sums
        .into_iter()
        .map(|(grip, (readings, use_ms))| GripUse {
            grip: grip.to_owned(),
            readings,
            use_ms,
        })
        .collect();
    grips.sort_by_key(|grip| std::cmp::Reverse(grip.readings));
    grips
}

fn faults(usage: &[DayUsage]) -> Vec<FaultCount> {
    let mut counts = BTreeMap::<&str, (u64, NaiveDate)>::new();
    for day in usage {
        for (code, readings) in &day.faults {
            let count = counts.entry(code).or_insert((0, day.day));
            *count = (count.0 + readings, count.1.max(day.day));
        }
    }
    let mut faults: Vec<_> = counts
        .into_iter()
        .map(|(code, (readings, last_day))| FaultCount {
            fault_code: code.to_owned(),
            readings,
            last_day,
        })
        .collect();
    faults.sort_by_key(|fault| std::cmp::Reverse(fault.readings));
    faults
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn day(text: &str, readings: u64, grip: &str, faults: &[(&str, u64)]) -> DayUsage {
        let grip = grip.to_owned();
        DayUsage {
            day: text.parse().unwrap(),
            totals: Totals {
                readings,
                ..Totals::default()
            },
            grips: vec![GripUse {
                grip,
                readings,
                use_ms: 10 * readings,
            }],
            faults: faults
                .iter()
                .map(|(code, count)| ((*code).to_owned(), *count))
                .collect(),
        }
    }

    #[test]
    fn a_day_without_readings_is_a_day_of_zeros() {
        let period = Period::around(CalendarKind::Week, "2026-11-18".parse().unwrap());
        let days = every_day(period, &[day("2026-11-18", 7, "power", &[])]);
        let readings: Vec<_> = days.iter().map(|(_, totals)| totals.readings).collect();
        assert_eq!(readings, [0, 0, 7, 0, 0, 0, 0]);
    }

    #[test]
    fn the_most_used_grip_comes_first() {
        let usage = [
            day("2026-11-17", 3, "pinch", &[]),
            day("2026-11-18", 5, "power", &[]),
            day("2026-11-19", 4, "pinch", &[]),
        ];
        let grips = grips(&usage);
        let found: Vec<_> = grips.iter().map(|it| (&*it.grip, it.readings)).collect();
        assert_eq!(found, [("pinch", 7), ("power", 5)]);
        assert_eq!(grips[0].use_ms, 70);
    }

    #[test]
    fn a_fault_knows_its_last_day() {
        let usage = [
            day("2026-11-17", 3, "pinch", &[("E1", 2), ("E2", 1)]),
            day("2026-11-18", 5, "pinch", &[("E2", 3)]),
        ];
        let faults = faults(&usage);
        assert_eq!(faults[0].fault_code, "E2");
        assert_eq!(faults[0].readings, 4);
        assert_eq!(faults[0].last_day, "2026-11-18".parse().unwrap());
        assert_eq!(faults[1].last_day, "2026-11-17".parse().unwrap());
    }
}
