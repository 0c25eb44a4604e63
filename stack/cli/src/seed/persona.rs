//! How a person uses a prosthesis: how much, when in the day and the week, with
//! which grips, and on which days not at all.

use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc, Weekday};

use super::{
    crm::Customer,
    device::GRIPS,
    plan::{Plan, midnight},
    random::Random,
};

const PERSONA: u64 = 2;
const REST: u64 = 3;

/// How much is gripped in each hour of the wearer's day: little at night, most
/// around breakfast and in the evening.
const HOURS: [f64; 24] = [
    0.8, 0.4, 0.3, 0.3, 0.5, 1.8, 5.5, 9.5, 9.0, 6.5, 5.5, 6.0, 7.5, 6.0, 5.5, 5.5, 6.5, 8.5, 10.0,
    9.0, 7.0, 4.5, 2.5, 1.4,
];

/// The hour at which the battery comes off the charger.
const MORNING: f64 = 5.0;

/// A wearer's habits.
#[derive(Debug)]
pub(super) struct Persona {
    /// Readings on an ordinary day.
    pub(super) readings_a_day: f64,
    /// How strongly they grip.
    pub(super) strength: f64,
    /// How clear their muscle signal is, in per cent.
    pub(super) emg_quality_pct: f64,
    /// How often they use each of [`GRIPS`].
    pub(super) grips: [f64; GRIPS.len()],
    weekend: f64,
    /// Hours by which their day is later than UTC's: negative to the east.
    lateness: f64,
    rest: Rest,
}

/// Days without readings.
#[derive(Debug)]
enum Rest {
    /// From the first day up to the second, without it; the report page of the
    /// people who can sign in shows such a gap in a known place.
    Known(NaiveDate, NaiveDate),
    /// A holiday and single days.
    Random {
        seed: u64,
        customer: u64,
        holiday: Option<(NaiveDate, NaiveDate)>,
    },
}

impl Persona {
    /// The habits of the customer with this number.
    pub(super) fn new(plan: &Plan, number: usize, customer: &Customer) -> Self {
        let customer_key = number as u64;
        let random = &mut Random::stream(plan.seed, &[PERSONA, customer_key]);
        let chronotype = random.normal(0.0, 0.9).clamp(-2.0, 3.0);
        Self {
            readings_a_day: random.normal(245.0, 26.0).clamp(190.0, 310.0),
            strength: random.normal(1.0, 0.12).clamp(0.7, 1.3),
            emg_quality_pct: random.normal(86.0, 5.0).clamp(68.0, 96.0),
            grips: GRIPS
                .each_ref()
                .map(|grip| grip.share * (0.5 + random.unit())),
            weekend: 0.78 + 0.4 * random.unit(),
            lateness: chronotype - customer.place.utc_offset_hours as f64,
            rest: Rest::new(plan, number, random),
        }
    }

    /// How many readings the day brings, for one prosthesis.
    pub(super) fn readings_on(&self, day: NaiveDate, random: &mut Random) -> usize {
        if self.rest.covers(day) {
            return 0;
        }
        let week = if matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            self.weekend
        } else {
            1.0
        };
        (self.readings_a_day * week * random.normal(1.0, 0.08).clamp(0.7, 1.3)) as usize
    }

    /// A moment of a UTC day at which this person might grip something.
    pub(super) fn moment(&self, day: NaiveDate, random: &mut Random) -> DateTime<Utc> {
        let hour = random.weighted(&HOURS) as f64 + random.unit() + self.lateness;
        let microseconds = hour.rem_euclid(24.0) * 3_600e6;
        // Rounding could reach midnight.
        midnight(day) + Duration::microseconds((microseconds as i64).min(24 * 3_600_000_000 - 1))
    }

    /// How much of the day's use is behind them at this time, from 0 to 1: the
    /// battery is full in the morning and charged overnight.
    pub(super) fn day_behind(&self, at: DateTime<Utc>) -> f64 {
        let utc_hour = (at - midnight(at.date_naive())).num_milliseconds() as f64 / 3_600_000.0;
        let since_morning = (utc_hour - self.lateness - MORNING).rem_euclid(24.0);
        let used: f64 = (0..24)
            .map(|hour| {
                HOURS[(hour + MORNING as usize) % 24]
                    * (since_morning - hour as f64).clamp(0.0, 1.0)
            })
            .sum();
        used / HOURS.iter().sum::<f64>()
    }
}

impl Rest {
    fn new(plan: &Plan, number: usize, random: &mut Random) -> Self {
        let day = |offset: i64| plan.first_day() + Duration::days(offset);
        let days = i64::from(plan.days);
        match number {
            0 if days >= 14 => Self::Known(day(days / 4), day(days / 4 + 2)),
            0 | 1 => Self::Known(day(0), day(0)),
            _ => {
                let first = random.between(0, days - 1);
                let holiday = random
                    .chance(0.08)
                    .then(|| (day(first), day(first + random.between(3, 7))));
                Self::Random {
                    seed: plan.seed,
                    customer: number as u64,
                    holiday,
                }
            }
        }
    }

    fn covers(&self, day: NaiveDate) -> bool {
        match self {
            Self::Known(from, to) => (*from..*to).contains(&day),
            Self::Random {
                seed,
                customer,
                holiday,
            } => {
                let key = day.num_days_from_ce().unsigned_abs().into();
                holiday.is_some_and(|(from, to)| (from..to).contains(&day))
                    || Random::stream(*seed, &[REST, *customer, key]).chance(0.02)
            }
        }
    }
}
