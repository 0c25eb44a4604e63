//! How large the seeded world is and which days it covers. Two equal plans
//! make equal worlds; nothing else goes in, the clock least of all.

use std::fmt;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

/// Everything that a seeded world depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Picks the world.
    pub(crate) seed: u64,
    /// Customers in the CRM; at least the two who can sign in.
    pub(crate) customers: u32,
    /// Days with readings.
    pub(crate) days: u32,
    /// The last of these days (UTC).
    pub(crate) last_day: NaiveDate,
}

impl Plan {
    /// The first day with readings (UTC).
    pub(crate) fn first_day(&self) -> NaiveDate {
        self.last_day - Days::new(u64::from(self.days) - 1)
    }

    /// The days in order.
    pub(crate) fn each_day(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        self.first_day().iter_days().take(self.days as usize)
    }

    /// When the first day begins.
    pub(crate) fn start(&self) -> DateTime<Utc> {
        midnight(self.first_day())
    }

    /// The moment at which a prosthesis goes from the first customer to the
    /// second: noon, so that the day belongs to both.
    pub(crate) fn hand_over(&self) -> DateTime<Utc> {
        let day = self.first_day() + Days::new(u64::from(self.days) / 2);
        midnight(day) + chrono::Duration::hours(12)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            customers,
            days,
            ..
        } = self;
        write!(
            formatter,
            "{customers} customers, {days} days up to {}, seed {seed}",
            self.last_day
        )
    }
}

/// When a day begins (UTC).
pub(super) fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan {
        seed: 1,
        customers: 2,
        days: 30,
        last_day: NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day"),
    };

    #[test]
    fn the_days_end_with_the_last_one() {
        assert_eq!(PLAN.each_day().count(), 30);
        assert_eq!(PLAN.each_day().last(), Some(PLAN.last_day));
        assert_eq!(PLAN.first_day().to_string(), "2026-01-31");
    }

    #[test]
    fn the_hand_over_lies_within_a_seeded_day() {
        let shortest = Plan { days: 2, ..PLAN };
        assert_eq!(shortest.hand_over().date_naive(), shortest.last_day);
        assert!(PLAN.start() < PLAN.hand_over() && PLAN.hand_over().date_naive() < PLAN.last_day);
    }
}
