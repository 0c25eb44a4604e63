//! The days of a run: whole days of UTC, from the first to the last. Not here: which of them are
//! taken by another run, which the operational store decides.

use bionicpro_mesh::request::{WrongField, day};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// The most days that one run covers.
pub(crate) const MOST_DAYS: i64 = 366;

/// One to [`MOST_DAYS`] consecutive days, none of them in the future when they were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days {
    first: NaiveDate,
    last: NaiveDate,
}

impl Days {
    /// Reads `YYYY-MM-DD` texts as a caller wrote them on the day `today`.
    pub(crate) fn parse(
        start_day: &str,
        end_day: &str,
        today: NaiveDate,
    ) -> Result<Self, WrongField> {
        let first = day("start_day", start_day)?;
        let last = day("end_day", end_day)?;
        let invalid = |problem| Err(WrongField::period("end_day", problem));
        if last < first {
            return invalid("The last day lies before the first.");
        }
        if (last - first).num_days() >= MOST_DAYS {
            return invalid("A run covers at most 366 days.");
        }
        if last > today {
            return invalid("A day that has not begun has no readings to load.");
        }
        Ok(Self { first, last })
    }

    /// Days as they were stored.
    pub(crate) fn stored(first: NaiveDate, last: NaiveDate) -> Self {
        Self { first, last }
    }

    pub(crate) fn first(self) -> NaiveDate {
        self.first
    }

    pub(crate) fn last(self) -> NaiveDate {
        self.last
    }

    /// Every day, in order.
    pub(crate) fn iter(self) -> impl Iterator<Item = NaiveDate> {
        self.first
            .iter_days()
            .take_while(move |day| *day <= self.last)
    }
}

/// The first moment of a day.
pub(crate) fn start_of(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The first moment that no longer belongs to a day.
pub(crate) fn end_of(day: NaiveDate) -> DateTime<Utc> {
    start_of(day) + TimeDelta::days(1)
}

/// Up to when a day's readings are complete when reading them began at `read_began`.
pub(crate) fn complete_until(day: NaiveDate, read_began: DateTime<Utc>) -> DateTime<Utc> {
    end_of(day).min(read_began)
}

/// The same where the source had no place for the day. A day that is not over is not dropped: no
/// place means that there are no readings yet. Of one that is over nobody knows more than was known
/// when it was last loaded.
pub(crate) fn still_complete_until(
    day: NaiveDate,
    read_began: DateTime<Utc>,
    known_until: DateTime<Utc>,
) -> DateTime<Utc> {
    if read_began < end_of(day) {
        return complete_until(day, read_began);
    }
    known_until.max(start_of(day))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn parse(first: &str, last: &str) -> Result<Days, WrongField> {
        Days::parse(first, last, day("2026-11-24"))
    }

    #[test]
    fn a_run_covers_its_last_day() {
        let days: Vec<_> = parse("2026-02-27", "2026-03-01").unwrap().iter().collect();
        assert_eq!(
            days,
            [day("2026-02-27"), day("2026-02-28"), day("2026-03-01")]
        );
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused_by_its_field() {
        assert_eq!(
            parse("2026-02-30", "2026-03-01").unwrap_err().field,
            "start_day"
        );
        assert_eq!(
            parse("2026-02-01", "2026-2-0001").unwrap_err().field,
            "end_day"
        );
        assert_eq!(
            parse("2026-02-01", "+026-02-01").unwrap_err().field,
            "end_day"
        );
    }

    #[test]
    fn an_end_before_the_start_is_refused() {
        assert_eq!(
            parse("2026-03-02", "2026-03-01").unwrap_err().field,
            "end_day"
        );
    }

    #[test]
    fn at_most_366_days_are_taken() {
        assert!(parse("2025-11-24", "2026-11-24").is_ok());
        assert!(parse("2025-11-23", "2026-11-24").is_err());
    }

    #[test]
    fn today_is_taken_and_tomorrow_is_not() {
        assert!(parse("2026-11-24", "2026-11-24").is_ok());
        assert!(parse("2026-11-24", "2026-11-25").is_err());
    }

    #[test]
    fn a_day_that_is_over_is_complete_until_its_end() {
        let midnight = "2026-11-24T00:00:00Z".parse::<DateTime<Utc>>().unwrap();
        let noon = "2026-11-24T12:00:00Z".parse::<DateTime<Utc>>().unwrap();
        assert_eq!(complete_until(day("2026-11-23"), noon), midnight);
        assert_eq!(complete_until(day("2026-11-24"), noon), noon);
    }

    #[test]
    fn a_day_that_the_source_has_no_place_for_is_as_complete_as_it_was() {
        let [before, noon, over] = [
            "1970-01-01T00:00:00Z",
            "2026-11-23T12:00:00Z",
            "2026-11-24T00:00:00Z",
        ]
        .map(|time| time.parse::<DateTime<Utc>>().unwrap());
        let until = |began, known| still_complete_until(day("2026-11-23"), began, known);
        assert_eq!(until(over, before), start_of(day("2026-11-23")));
        assert_eq!(until(over, noon), noon);
        assert_eq!(until(noon, before), noon);
    }

    proptest! {
        #[test]
        fn any_text_is_days_or_an_error(first in ".{0,12}", last in ".{0,12}") {
            let _ = parse(&first, &last);
        }

        #[test]
        fn what_is_parsed_is_what_was_written(offset in 0i64..3000, length in 0i64..MOST_DAYS) {
            let last = day("2026-11-24") - TimeDelta::days(offset);
            let first = last - TimeDelta::days(length);
            let days = parse(&first.to_string(), &last.to_string()).unwrap();
            prop_assert_eq!((days.first(), days.last()), (first, last));
            prop_assert_eq!(i64::try_from(days.iter().count()).unwrap(), length + 1);
        }
    }
}
