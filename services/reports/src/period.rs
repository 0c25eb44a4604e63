//! The days that a report covers: a day, an ISO week, a calendar month or a range, all in UTC.
//! Not here: which days have readings.

use bionicpro_mesh::request::{self, WrongField};
use chrono::{Datelike, Days, Months, NaiveDate};

/// The most days that a range covers.
const MOST_DAYS: i64 = 366;
/// The years that can be asked for; the datamart's days and the periods before fit around them.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2100;

/// How long a period is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Day,
    /// Monday to Sunday (ISO 8601).
    Week,
    Month,
    Range,
}

/// The kinds that the calendar cuts time into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CalendarKind {
    Day,
    Week,
    Month,
}

impl From<CalendarKind> for Kind {
    fn from(kind: CalendarKind) -> Self {
        match kind {
            CalendarKind::Day => Self::Day,
            CalendarKind::Week => Self::Week,
            CalendarKind::Month => Self::Month,
        }
    }
}

/// Consecutive days, the first and the last of them included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) kind: Kind,
    pub(crate) first: NaiveDate,
    pub(crate) last: NaiveDate,
}

/// What a caller asks for, its days checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// The period of the latest day that has data.
    Latest(CalendarKind),
    /// These days.
    Period(Period),
}

const DAY: &str = "period.day";
const END_DAY: &str = "period.end_day";

impl Selection {
    /// Reads days as a caller wrote them, `YYYY-MM-DD` or nothing.
    pub(crate) fn parse(kind: Kind, day: &str, end_day: &str) -> Result<Self, WrongField> {
        let kind = match kind {
            Kind::Range => return range(day, end_day).map(Self::Period),
            Kind::Day => CalendarKind::Day,
            Kind::Week => CalendarKind::Week,
            Kind::Month => CalendarKind::Month,
        };
        if !end_day.is_empty() {
            return invalid(END_DAY, "Only a range has an end; leave it empty.");
        }
        if day.is_empty() {
            return Ok(Self::Latest(kind));
        }
        Ok(Self::Period(Period::around(kind, parse_day(DAY, day)?)))
    }
}

impl Period {
    /// The period of the calendar that a day lies in.
    pub(crate) fn around(kind: CalendarKind, day: NaiveDate) -> Self {
        let (first, last) = match kind {
            CalendarKind::Day => (day, day),
            CalendarKind::Week => {
                let week = day.week(chrono::Weekday::Mon);
                (week.first_day(), week.last_day())
            }
            CalendarKind::Month => {
                let first = first_of_month(day);
                (first, first + Months::new(1) - Days::new(1))
            }
        };
        let kind = kind.into();
        Self { kind, first, last }
    }

    /// The period before: of the same kind, or of the same number of days.
    pub(crate) fn previous(self) -> Self {
        let last = self.first - Days::new(1);
        let first = match self.kind {
            Kind::Month => first_of_month(last),
            Kind::Day | Kind::Week | Kind::Range => last - (self.last - self.first),
        };
        let kind = self.kind;
        Self { kind, first, last }
    }

    /// Every day, in order.
    pub(crate) fn days(self) -> impl Iterator<Item = NaiveDate> {
        self.first
            .iter_days()
            .take_while(move |day| *day <= self.last)
    }
}

fn range(day: &str, end_day: &str) -> Result<Period, WrongField> {
    let first = parse_day(DAY, day)?;
    let last = parse_day(END_DAY, end_day)?;
    if last < first {
        return invalid(END_DAY, "The last day lies before the first.");
    }
    if (last - first).num_days() >= MOST_DAYS {
        return invalid(END_DAY, "A report covers at most 366 days.");
    }
    let kind = Kind::Range;
    Ok(Period { kind, first, last })
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day - Days::new(u64::from(day.day0()))
}

fn parse_day(field: &'static str, text: &str) -> Result<NaiveDate, WrongField> {
    let day = request::day(field, text)?;
    if !YEARS.contains(&day.year()) {
        return invalid(field, "Choose a day from 2000 to 2100.");
    }
    Ok(day)
}

fn invalid<T>(field: &'static str, problem: &'static str) -> Result<T, WrongField> {
    Err(WrongField::period(field, problem))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn period(kind: Kind, first: &str, end: &str) -> Period {
        match Selection::parse(kind, first, end).unwrap() {
            Selection::Period(period) => period,
            Selection::Latest(_) => panic!("days were given"),
        }
    }

    fn bounds(period: Period) -> (NaiveDate, NaiveDate) {
        (period.first, period.last)
    }

    #[test]
    fn a_week_is_monday_to_sunday_across_a_year() {
        let week = period(Kind::Week, "2027-01-01", "");
        assert_eq!(bounds(week), (day("2026-12-28"), day("2027-01-03")));
    }

    #[test]
    fn the_month_before_march_is_all_of_february() {
        let march = period(Kind::Month, "2028-03-31", "");
        assert_eq!(bounds(march), (day("2028-03-01"), day("2028-03-31")));
        let february = march.previous();
        assert_eq!(bounds(february), (day("2028-02-01"), day("2028-02-29")));
    }

    #[test]
    fn the_range_before_has_as_many_days() {
        let range = period(Kind::Range, "2026-11-10", "2026-11-14");
        assert_eq!(
            bounds(range.previous()),
            (day("2026-11-05"), day("2026-11-09"))
        );
    }

    #[test]
    fn no_day_means_the_latest() {
        let selection = Selection::parse(Kind::Month, "", "").unwrap();
        assert_eq!(selection, Selection::Latest(CalendarKind::Month));
    }

    #[test]
    fn what_is_not_a_period_is_refused_by_its_field() {
        let field = |kind, day, end| Selection::parse(kind, day, end).unwrap_err().field;
        assert_eq!(field(Kind::Day, "2026-02-30", ""), DAY);
        assert_eq!(field(Kind::Day, "2026-2-3", ""), DAY);
        assert_eq!(field(Kind::Day, "1999-12-31", ""), DAY);
        assert_eq!(field(Kind::Week, "2026-02-03", "2026-02-04"), END_DAY);
        assert_eq!(field(Kind::Range, "", "2026-02-04"), DAY);
        assert_eq!(field(Kind::Range, "2026-02-04", ""), END_DAY);
        assert_eq!(field(Kind::Range, "2026-02-04", "2026-02-03"), END_DAY);
        assert_eq!(field(Kind::Range, "2025-02-04", "2026-02-05"), END_DAY);
    }

    fn calendar() -> impl Strategy<Value = CalendarKind> {
        prop_oneof![
            Just(CalendarKind::Day),
            Just(CalendarKind::Week),
            Just(CalendarKind::Month)
        ]
    }

    proptest! {
        #[test]
        fn any_text_is_a_period_or_refused(day in ".{0,12}", end in ".{0,12}") {
            let _ = Selection::parse(Kind::Range, &day, &end);
            let _ = Selection::parse(Kind::Month, &day, &end);
        }

        #[test]
        fn a_period_holds_its_day_and_joins_the_one_before(kind in calendar(), offset in 0u64..36_000) {
            let day = day("2000-01-01") + Days::new(offset);
            let period = Period::around(kind, day);
            prop_assert!(period.first <= day && day <= period.last);
            let previous = period.previous();
            prop_assert_eq!(previous.last + Days::new(1), period.first);
            prop_assert_eq!(previous, Period::around(kind, previous.last));
        }

        #[test]
        fn every_day_of_a_period_has_the_same_period(kind in calendar(), offset in 0u64..36_000) {
            let period = Period::around(kind, day("2000-01-01") + Days::new(offset));
            prop_assert!(period.days().all(|day| Period::around(kind, day) == period));
        }
    }
}
