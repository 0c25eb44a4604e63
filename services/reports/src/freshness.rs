//! Up to when the sources of a report are complete. Where the watermarks are read is the store's.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use crate::period::Period;

/// Up to when the sources of a report are complete; a source that has delivered nothing has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Freshness {
    pub(crate) telemetry: Option<DateTime<Utc>>,
    /// The same for the period that the report is compared with.
    pub(crate) previous_telemetry: Option<DateTime<Utc>>,
    pub(crate) crm: Option<DateTime<Utc>>,
    pub(crate) generated_at: DateTime<Utc>,
}

impl Freshness {
    /// What of it says something of one customer's report: how many days of the period, and of the
    /// one before, are whole. All else moves with everybody's data: the telemetry's watermarks within
    /// a day that goes on and behind the period, the CRM's and the clock always.
    pub(crate) fn of_whole_days(self, period: Period) -> Self {
        let whole = |watermark: Option<DateTime<Utc>>, period: Period| {
            let behind = period.last + Days::new(1);
            watermark.map(|time| start_of(time.date_naive().clamp(period.first, behind)))
        };
        Self {
            telemetry: whole(self.telemetry, period),
            previous_telemetry: whole(self.previous_telemetry, period.previous()),
            crm: None,
            generated_at: DateTime::UNIX_EPOCH,
        }
    }
}

/// What the sources say of a period and the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watermarks {
    pub(crate) first: NaiveDate,
    pub(crate) previous_first: NaiveDate,
    /// The days from `previous_first` on and the last ones before it, in their order.
    pub(crate) loaded: Vec<LoadedDay>,
    pub(crate) crm: Option<DateTime<Utc>>,
    pub(crate) read_at: DateTime<Utc>,
}

impl Watermarks {
    /// How fresh a report is that lacks readings of the `reopened` days: of these it can promise
    /// nothing.
    pub(crate) fn without(self, reopened: &[NaiveDate]) -> Freshness {
        let loaded: Vec<_> = self
            .loaded
            .into_iter()
            .filter(LoadedDay::is_known)
            .map(|it| {
                if reopened.contains(&it.day) {
                    it.nothing()
                } else {
                    it
                }
            })
            .collect();
        Freshness {
            telemetry: telemetry_watermark(self.first, &loaded),
            previous_telemetry: telemetry_watermark(self.previous_first, &loaded),
            crm: self.crm,
            generated_at: self.read_at,
        }
    }
}

/// Up to when the readings of a day were complete when it was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoadedDay {
    pub(crate) day: NaiveDate,
    pub(crate) complete_until: DateTime<Utc>,
}

impl LoadedDay {
    /// Whether the telemetry database had anything to say of the day. Where only devices brought
    /// readings of it, late, it promises nothing, and the data need not have begun with it.
    fn is_known(&self) -> bool {
        self.complete_until > start_of(self.day)
    }

    /// The day as if none of it had been loaded.
    fn nothing(self) -> Self {
        Self {
            complete_until: start_of(self.day),
            ..self
        }
    }
}

/// The time before which every reading of a period that begins on `first` is in the datamart:
/// it moves over the days from `first` on for as long as each is loaded to its end. Days before
/// the first that was ever loaded lie before the data began and are not waited for. `loaded` has
/// the days from `first` on and the last one before it, in their order.
fn telemetry_watermark(first: NaiveDate, loaded: &[LoadedDay]) -> Option<DateTime<Utc>> {
    let (before, within) = loaded.split_at(loaded.partition_point(|it| it.day < first));
    let mut watermark = before.iter().map(|it| it.complete_until).max();
    let mut next = match (before, within) {
        ([], [begin, ..]) => begin.day,
        _ => first,
    };
    for loaded in within {
        if loaded.day != next {
            break;
        }
        watermark = Some(loaded.complete_until);
        next = next + Days::new(1);
        if loaded.complete_until < start_of(next) {
            break;
        }
    }
    watermark
}

fn start_of(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::period::CalendarKind;

    fn loaded(day: &str, complete_until: &str) -> LoadedDay {
        LoadedDay {
            day: day.parse().unwrap(),
            complete_until: complete_until.parse().unwrap(),
        }
    }

    fn watermark(first: &str, loaded: &[LoadedDay]) -> Option<String> {
        telemetry_watermark(first.parse().unwrap(), loaded).map(|time| time.to_rfc3339())
    }

    #[test]
    fn without_a_loaded_day_there_is_no_watermark() {
        assert_eq!(watermark("2026-11-01", &[]), None);
    }

    #[test]
    fn it_moves_over_complete_days_into_one_that_goes_on() {
        let days = [
            loaded("2026-11-01", "2026-11-02T00:00:00Z"),
            loaded("2026-11-02", "2026-11-02T12:00:00Z"),
        ];
        let expected = Some("2026-11-02T12:00:00+00:00".to_owned());
        assert_eq!(watermark("2026-11-01", &days), expected);
    }

    #[test]
    fn it_stops_before_a_day_that_is_not_loaded() {
        let days = [
            loaded("2026-11-01", "2026-11-02T00:00:00Z"),
            loaded("2026-11-03", "2026-11-04T00:00:00Z"),
        ];
        let expected = Some("2026-11-02T00:00:00+00:00".to_owned());
        assert_eq!(watermark("2026-11-01", &days), expected);
    }

    #[test]
    fn it_stops_behind_a_day_that_was_loaded_too_early() {
        let days = [
            loaded("2026-11-01", "2026-11-01T06:00:00Z"),
            loaded("2026-11-02", "2026-11-03T00:00:00Z"),
        ];
        let expected = Some("2026-11-01T06:00:00+00:00".to_owned());
        assert_eq!(watermark("2026-11-01", &days), expected);
    }

    #[test]
    fn a_period_whose_first_day_is_not_loaded_has_the_watermark_before_it() {
        let days = [
            loaded("2026-10-31", "2026-11-01T00:00:00Z"),
            loaded("2026-11-02", "2026-11-03T00:00:00Z"),
        ];
        let expected = Some("2026-11-01T00:00:00+00:00".to_owned());
        assert_eq!(watermark("2026-11-01", &days), expected);
    }

    #[test]
    fn it_stops_before_a_day_that_is_reopened_be_it_the_first() {
        let watermarks = Watermarks {
            first: "2026-11-01".parse().unwrap(),
            previous_first: "2026-10-01".parse().unwrap(),
            loaded: vec![
                loaded("2026-11-01", "2026-11-02T00:00:00Z"),
                loaded("2026-11-02", "2026-11-03T00:00:00Z"),
            ],
            crm: None,
            read_at: "2026-11-03T06:00:00Z".parse().unwrap(),
        };
        for day in ["2026-11-01", "2026-11-02"] {
            let freshness = watermarks.clone().without(&[day.parse().unwrap()]);
            assert_eq!(freshness.telemetry, Some(start_of(day.parse().unwrap())));
        }
        let whole = watermarks.without(&[]).telemetry.unwrap();
        assert_eq!(whole.to_rfc3339(), "2026-11-03T00:00:00+00:00");
    }

    #[test]
    fn a_day_that_only_devices_brought_is_not_where_the_data_began() {
        let watermarks = |loaded| Watermarks {
            first: "2026-11-01".parse().unwrap(),
            previous_first: "2026-10-01".parse().unwrap(),
            loaded,
            crm: None,
            read_at: "2026-11-03T06:00:00Z".parse().unwrap(),
        };
        let known = [
            loaded("2026-11-01", "2026-11-02T00:00:00Z"),
            loaded("2026-11-02", "2026-11-03T00:00:00Z"),
        ];
        let brought = [
            loaded("2026-09-03", "2026-09-03T00:00:00Z"),
            loaded("2026-10-07", "2026-10-07T00:00:00Z"),
        ];
        let all = [brought, known].concat();
        let expected = watermarks(known.to_vec()).without(&[]);
        assert_eq!(watermarks(all).without(&[]), expected);
        let end = start_of("2026-11-03".parse().unwrap());
        assert_eq!(expected.telemetry, Some(end));
    }

    #[test]
    fn a_period_and_the_one_before_have_watermarks_of_their_own() {
        let watermarks = Watermarks {
            first: "2026-11-02".parse().unwrap(),
            previous_first: "2026-11-01".parse().unwrap(),
            loaded: vec![
                loaded("2026-10-31", "2026-11-01T00:00:00Z"),
                loaded("2026-11-02", "2026-11-03T00:00:00Z"),
            ],
            crm: None,
            read_at: "2026-11-03T06:00:00Z".parse().unwrap(),
        };
        let freshness = watermarks.without(&[]);
        let times = [freshness.telemetry, freshness.previous_telemetry];
        assert_eq!(
            times.map(|time| time.unwrap().to_rfc3339()),
            ["2026-11-03T00:00:00+00:00", "2026-11-01T00:00:00+00:00"]
        );
    }

    #[test]
    fn only_the_whole_days_of_a_period_are_its_own() {
        let period = Period::around(CalendarKind::Week, "2026-11-11".parse().unwrap());
        let own = |telemetry: &str, previous: &str| {
            let freshness = Freshness {
                telemetry: Some(telemetry.parse().unwrap()),
                previous_telemetry: Some(previous.parse().unwrap()),
                crm: Some(telemetry.parse().unwrap()),
                generated_at: telemetry.parse().unwrap(),
            };
            freshness.of_whole_days(period)
        };
        let within = own("2026-11-11T00:00:00Z", "2026-11-05T07:00:00Z");
        // Days that go on.
        assert_eq!(own("2026-11-11T23:59:59Z", "2026-11-05T08:00:00Z"), within);
        // A day more is whole, of the one or of the other.
        assert_ne!(own("2026-11-12T00:00:00Z", "2026-11-05T07:00:00Z"), within);
        assert_ne!(own("2026-11-11T00:00:00Z", "2026-11-06T00:00:00Z"), within);
        // Behind them, and before: the week begins on the 9th, the one before on the 2nd.
        let all = own("2026-11-16T00:00:00Z", "2026-11-09T00:00:00Z");
        assert_eq!(own("2026-11-20T07:00:00Z", "2026-11-20T07:00:00Z"), all);
        let none = own("2026-11-09T00:00:00Z", "2026-11-02T00:00:00Z");
        assert_eq!(own("2026-11-01T07:00:00Z", "2026-11-01T07:00:00Z"), none);
    }

    #[test]
    fn days_before_the_data_began_are_not_waited_for() {
        let days = [loaded("2026-11-02", "2026-11-03T00:00:00Z")];
        let expected = Some("2026-11-03T00:00:00+00:00".to_owned());
        assert_eq!(watermark("2026-11-01", &days), expected);
    }
}
