#![allow(clippy::unwrap_used)]

use super::*;
use crate::period::CalendarKind;
use crate::report::{CustomerId, FaultCount, GripUse, Prosthesis, ServiceVisit};
use chrono::NaiveDate;
use proptest::prelude::*;
use uuid::Uuid;

/// A report of a day.
pub(crate) fn report() -> Report {
    let day = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
    let totals = Totals {
        readings: 3,
        active_days: 1,
        use_ms: 4500,
        faults: 1,
        measures: Some(Measures {
            response_ms_sum: 200,
            response_ms_p95: 80,
            force_mn_sum: 10,
            emg_quality_pct_sum: 254,
            battery_pct_min: 40,
        }),
    };
    let at = |hour| day.and_hms_opt(hour, 0, 0).unwrap().and_utc();
    Report {
        customer: CustomerId(Uuid::nil()),
        full_name: "Anna Orlova".to_owned(),
        period: Period::around(CalendarKind::Day, day),
        totals,
        previous_totals: Totals::default(),
        days: vec![(day, totals)],
        grips: vec![grip("power")],
        faults: vec![fault("E1", day)],
        prostheses: Vec::new(),
        service_visits: Vec::new(),
        freshness: Freshness {
            telemetry: Some(at(20)),
            previous_telemetry: None,
            crm: Some(at(21)),
            generated_at: at(22),
        },
    }
}

/// A report with something of everything.
pub(crate) fn full_report() -> Report {
    let mut report = report();
    let day = report.days[0].0;
    let at = |hour| day.and_hms_opt(hour, 30, 0).unwrap().and_utc();
    report.full_name = "=Анна, \"Orlova\"".to_owned();
    report
        .days
        .push((day.succ_opt().unwrap(), Totals::default()));
    report.grips = vec![grip("power"), grip("lateral"), grip("claw")];
    report.faults = vec![fault("MOTOR_STALL", day), fault("E1", day)];
    report.prostheses = vec![Prosthesis {
        id: Uuid::from_u128(7),
        serial_number: "BP-0007".to_owned(),
        model: "Hand M".to_owned(),
        side: "left".to_owned(),
        firmware: "2.1.0".to_owned(),
        valid_from: at(1),
        valid_to: Some(at(23)),
    }];
    report.service_visits = [(7, "firmware_update"), (8, "audit")]
        .map(|(prosthesis, kind)| ServiceVisit {
            prosthesis: Uuid::from_u128(prosthesis),
            visited_at: at(12),
            kind: kind.to_owned(),
        })
        .into();
    report
}

fn grip(grip: &str) -> GripUse {
    GripUse {
        grip: grip.to_owned(),
        readings: 3,
        use_ms: 4500,
    }
}

fn fault(code: &str, last_day: NaiveDate) -> FaultCount {
    FaultCount {
        fault_code: code.to_owned(),
        readings: 1,
        last_day,
    }
}

fn digest_of(change: impl FnOnce(&mut Report)) -> [u8; 32] {
    let mut report = report();
    change(&mut report);
    Document::content_digest(&report).unwrap()
}

#[test]
fn a_mean_is_a_decimal_that_is_rounded_half_up() {
    assert_eq!(decimal(200, 3), "66.667");
    assert_eq!(decimal(1, 2000), "0.001");
    assert_eq!(decimal(10, 5), "2.000");
    assert_eq!(decimal(u64::MAX, 1), "18446744073709551615.000");
}

#[test]
fn what_moves_with_everybodys_data_makes_no_other_content() {
    let at = report().freshness.generated_at;
    let moved = digest_of(|report| {
        report.freshness.telemetry = Some(at);
        report.freshness.crm = Some(at + chrono::Days::new(1));
        report.freshness.generated_at = at + chrono::Days::new(1);
    });
    assert_eq!(moved, digest_of(|_| {}));
}

#[test]
fn whatever_the_file_shows_of_the_customer_makes_another_content() {
    let changes: [fn(&mut Report); 7] = [
        |it| it.full_name.push('a'),
        |it| it.totals.use_ms += 1,
        |it| it.previous_totals.readings += 1,
        |it| it.days[0].1.faults += 1,
        |it| it.grips[0].use_ms += 1,
        |it| it.freshness.telemetry = None,
        // The day is over: there is nothing more to come.
        |it| it.freshness.telemetry = it.freshness.telemetry.map(|it| it + chrono::Days::new(1)),
    ];
    for change in changes {
        assert_ne!(digest_of(change), digest_of(|_| {}));
    }
}

proptest! {
    #[test]
    fn a_document_survives_its_storage(name in "\\PC*", readings: u64) {
        let mut report = report();
        report.full_name = name;
        report.previous_totals.readings = readings;
        let document = Document::of(&report);
        let stored = serde_json::to_string(&document).unwrap();
        prop_assert_eq!(serde_json::from_str::<Document>(&stored).unwrap(), document);
    }

    #[test]
    fn a_mean_is_within_half_of_its_last_digit(sum in 0..1u64 << 40, count in 1..1u64 << 20) {
        let mean: f64 = decimal(sum, count).parse().unwrap();
        prop_assert!((mean - sum as f64 / count as f64).abs() <= 0.000_51 + mean * 1e-12);
    }
}
