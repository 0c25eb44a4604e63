use std::collections::BTreeSet;

use super::*;

const PLAN: Plan = Plan {
    seed: 1,
    customers: 60,
    days: 30,
    last_day: NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day"),
};

fn all(crm: &Crm) -> Vec<Reading> {
    let telemetry = Telemetry::new(&PLAN, crm);
    PLAN.each_day().flat_map(|day| telemetry.day(day)).collect()
}

fn mean(values: impl Iterator<Item = i64>) -> f64 {
    let (sum, count) = values.fold((0, 0), |(sum, count), value| (sum + value, count + 1));
    f64::from(i32::try_from(sum).expect("a small sum")) / f64::from(count)
}

#[test]
fn every_reading_lies_on_its_day_and_while_its_prosthesis_was_worn() {
    let crm = Crm::new(&PLAN);
    let telemetry = Telemetry::new(&PLAN, &crm);
    for day in PLAN.each_day() {
        for reading in telemetry.day(day) {
            assert_eq!(reading.recorded_at.date_naive(), day);
            let worn = crm.assignments.iter().filter(|worn| {
                crm.prostheses[worn.prosthesis].id == reading.prosthesis_id
                    && worn.valid_from <= reading.recorded_at
                    && worn.valid_to.is_none_or(|end| reading.recorded_at < end)
            });
            assert_eq!(worn.count(), 1, "{reading:?}");
        }
    }
}

#[test]
fn identifiers_are_unique_and_carry_the_time_of_the_reading() {
    let readings = all(&Crm::new(&PLAN));
    assert_eq!(
        readings
            .iter()
            .map(|reading| reading.id)
            .collect::<BTreeSet<_>>()
            .len(),
        readings.len()
    );
    for reading in &readings {
        let milliseconds = u128::from(reading.recorded_at.timestamp_millis().unsigned_abs());
        assert_eq!(reading.id.as_u128() >> 80, milliseconds);
    }
}

#[test]
fn a_prosthesis_makes_two_to_three_hundred_readings_a_day() {
    let crm = Crm::new(&PLAN);
    let a_day = all(&crm).len() / crm.prostheses.len() / PLAN.days as usize;
    assert!((200..300).contains(&a_day), "{a_day}");
}

#[test]
fn numbers_keep_to_the_bounds_of_the_table() {
    for reading in all(&Crm::new(&PLAN)) {
        assert!(
            (0..=100).contains(&reading.battery_pct)
                && (0..=100).contains(&reading.emg_quality_pct)
        );
        assert!(reading.duration_ms > 0 && reading.response_ms > 0 && reading.force_mn > 0);
        assert!(reading.received_at > reading.recorded_at);
    }
}

#[test]
fn evenings_are_busier_than_nights_where_the_wearer_lives() {
    let crm = Crm::new(&PLAN);
    let offset = Duration::hours(crm.customers[0].place.utc_offset_hours);
    let own = crm.prostheses[0].id;
    let mut hours = [0; 24];
    for reading in all(&crm)
        .iter()
        .filter(|reading| reading.prosthesis_id == own)
    {
        let hour = (reading.recorded_at + offset).format("%H").to_string();
        hours[hour.parse::<usize>().expect("an hour")] += 1;
    }
    let evening: i32 = hours[17..21].iter().sum();
    let night: i32 = hours[0..4].iter().sum();
    assert!(evening > 10 * night, "{hours:?}");
}

#[test]
fn a_repair_makes_it_faster() {
    let crm = Crm::new(&PLAN);
    let repair = crm
        .visits
        .iter()
        .find(|visit| visit.kind == VisitKind::Repair && visit.prosthesis == 0);
    let repaired_at = repair.expect("the first prosthesis is repaired").visited_at;
    let own = crm.prostheses[0].id;
    let readings = all(&crm);
    let response = |after: bool| {
        let own = readings
            .iter()
            .filter(|reading| reading.prosthesis_id == own);
        mean(
            own.filter(|reading| (reading.recorded_at >= repaired_at) == after)
                .map(|reading| reading.response_ms),
        )
    };
    assert!(
        response(true) < response(false) * 0.97,
        "{} {}",
        response(true),
        response(false)
    );
}

#[test]
fn faults_are_rare_and_come_together() {
    let readings = all(&Crm::new(&PLAN));
    let faults: Vec<_> = readings
        .iter()
        .filter(|reading| reading.fault_code.is_some())
        .collect();
    let share = faults.len() as f64 / readings.len() as f64;
    assert!((0.000_5..0.02).contains(&share), "{share}");
    let days: BTreeSet<_> = faults
        .iter()
        .map(|reading| (reading.prosthesis_id, reading.recorded_at.date_naive()))
        .collect();
    assert!(
        faults.len() > 2 * days.len(),
        "{} faults on {} days",
        faults.len(),
        days.len()
    );
}

#[test]
fn the_first_sign_in_has_a_gap_of_two_days_and_data_on_the_last_one() {
    let crm = Crm::new(&PLAN);
    let telemetry = Telemetry::new(&PLAN, &crm);
    let own = crm.prostheses[0].id;
    let counts: Vec<usize> = PLAN
        .each_day()
        .map(|day| {
            telemetry
                .day(day)
                .iter()
                .filter(|reading| reading.prosthesis_id == own)
                .count()
        })
        .collect();
    assert_eq!(
        counts.iter().filter(|count| **count == 0).count(),
        2,
        "{counts:?}"
    );
    assert!(counts[29] > 100);
}

#[test]
fn days_made_in_another_order_are_the_same() {
    let crm = Crm::new(&PLAN);
    let telemetry = Telemetry::new(&PLAN, &crm);
    let last = telemetry.day(PLAN.last_day);
    telemetry.day(PLAN.first_day());
    assert_eq!(telemetry.day(PLAN.last_day), last);
}
