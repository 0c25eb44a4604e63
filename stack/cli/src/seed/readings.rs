//! What prostheses report: one reading a grip.

use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc};
use uuid::Uuid;

use super::{
    crm::{Assignment, Crm, Prosthesis, Visit, VisitKind},
    device::{FAULTS, FIRMWARE, GRIPS, Grip, LOW_BATTERY},
    persona::Persona,
    plan::{Plan, midnight},
    random::Random,
};

const READINGS: u64 = 4;

/// A row of `readings`.
#[derive(Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) id: Uuid,
    pub(super) prosthesis_id: Uuid,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) received_at: DateTime<Utc>,
    pub(super) grip: &'static str,
    pub(super) duration_ms: i64,
    pub(super) response_ms: i64,
    pub(super) force_mn: i64,
    pub(super) battery_pct: i64,
    pub(super) emg_quality_pct: i64,
    pub(super) fault_code: Option<&'static str>,
}

/// Makes readings day by day; days can be made in any order.
#[derive(Debug)]
pub(super) struct Telemetry<'a> {
    seed: u64,
    crm: &'a Crm,
    personas: Vec<Persona>,
}

impl<'a> Telemetry<'a> {
    /// Prepares for the days of a plan.
    pub(super) fn new(plan: &Plan, crm: &'a Crm) -> Self {
        let personas = crm.customers.iter().enumerate();
        let personas = personas
            .map(|(number, customer)| Persona::new(plan, number, customer))
            .collect();
        Self {
            seed: plan.seed,
            crm,
            personas,
        }
    }

    /// All readings of a day, in the order in which they were recorded.
    pub(super) fn day(&self, day: NaiveDate) -> Vec<Reading> {
        let mut readings = Vec::new();
        for worn in &self.crm.assignments {
            self.add(worn, day, &mut readings);
        }
        readings.sort_by_key(|reading| (reading.recorded_at, reading.id));
        readings
    }

    fn add(&self, worn: &Assignment, day: NaiveDate, readings: &mut Vec<Reading>) {
        let key = day.num_days_from_ce().unsigned_abs().into();
        let random = &mut Random::stream(
            self.seed,
            &[READINGS, worn.prosthesis as u64, worn.customer as u64, key],
        );
        let persona = &self.personas[worn.customer];
        let wearing = WornDay::new(self.crm, worn, persona, day, random);
        for _ in 0..persona.readings_on(day, random) {
            let at = persona.moment(day, random);
            let reading = wearing.reading(at, random);
            // A day on which it changes hands is only in part this wearer's.
            if worn.valid_from <= at && worn.valid_to.is_none_or(|end| at < end) {
                readings.push(reading);
            }
        }
    }
}

/// One prosthesis on one person for one day.
struct WornDay<'a> {
    prosthesis: &'a Prosthesis,
    visits: Vec<&'a Visit>,
    persona: &'a Persona,
    /// Sweat and fit differ from day to day, in per cent.
    emg_quality_pct: f64,
    drain_pct: f64,
    faults: Option<Spell>,
}

/// A while in which a fault keeps coming up.
struct Spell {
    code: &'static str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl<'a> WornDay<'a> {
    fn new(
        crm: &'a Crm,
        worn: &Assignment,
        persona: &'a Persona,
        day: NaiveDate,
        random: &mut Random,
    ) -> Self {
        let prosthesis = &crm.prostheses[worn.prosthesis];
        let visits: Vec<&Visit> = crm
            .visits
            .iter()
            .filter(|visit| visit.prosthesis == worn.prosthesis)
            .collect();
        let spell_chance = 0.03 + 0.12 * wear(&visits, midnight(day));
        Self {
            persona,
            emg_quality_pct: random.normal(persona.emg_quality_pct, 3.0),
            drain_pct: prosthesis.model.daily_drain_pct * random.normal(1.1, 0.12).clamp(0.8, 1.5),
            faults: random
                .chance(spell_chance)
                .then(|| Spell::new(persona, day, random)),
            prosthesis,
            visits,
        }
    }

    fn reading(&self, at: DateTime<Utc>, random: &mut Random) -> Reading {
        let Grip {
            name,
            duration_ms,
            force_mn,
            ..
        } = GRIPS[random.weighted(&self.persona.grips)];
        let battery_pct = (100.0 - self.drain_pct * self.persona.day_behind(at)).clamp(2.0, 100.0);
        let emg_quality_pct = random.normal(self.emg_quality_pct, 4.0).clamp(5.0, 100.0);
        let strength = self.persona.strength * self.prosthesis.model.strength;
        Reading {
            id: random.uuid_at(at),
            prosthesis_id: self.prosthesis.id,
            recorded_at: at,
            received_at: at + delivery(random),
            grip: name,
            duration_ms: random.log_normal(duration_ms, 0.45).clamp(120.0, 60_000.0) as i64,
            response_ms: self.response_ms(at, battery_pct, emg_quality_pct, random) as i64,
            force_mn: (force_mn * strength * random.normal(1.0, 0.2).clamp(0.3, 1.7)) as i64,
            battery_pct: battery_pct as i64,
            emg_quality_pct: emg_quality_pct as i64,
            fault_code: self.fault(at, battery_pct, random),
        }
    }

    /// Slower with wear, a poor signal and an empty battery; faster with newer
    /// firmware. A few are far slower than the rest.
    fn response_ms(
        &self,
        at: DateTime<Utc>,
        battery_pct: f64,
        emg_quality_pct: f64,
        random: &mut Random,
    ) -> f64 {
        let signal = 1.0 + (85.0 - emg_quality_pct).max(0.0) * 0.004;
        let battery = if battery_pct < 20.0 { 1.12 } else { 1.0 };
        let base =
            self.prosthesis.model.response_ms * self.firmware(at) * (1.0 + wear(&self.visits, at));
        random
            .log_normal(base * signal * battery, 0.13)
            .clamp(60.0, 2_000.0)
    }

    fn firmware(&self, at: DateTime<Utc>) -> f64 {
        let later =
            |visit: &&&Visit| visit.kind == VisitKind::FirmwareUpdate && visit.visited_at > at;
        let updates = self.visits.iter().filter(later).count();
        FIRMWARE[self.prosthesis.firmware.saturating_sub(updates)].response
    }

    fn fault(
        &self,
        at: DateTime<Utc>,
        battery_pct: f64,
        random: &mut Random,
    ) -> Option<&'static str> {
        let share = random.unit();
        match &self.faults {
            Some(spell) if spell.from <= at && at < spell.to && share < 0.35 => Some(spell.code),
            _ if battery_pct < 12.0 && share < 0.15 => Some(LOW_BATTERY),
            _ if share < 0.000_6 => Some(FAULTS[0].0),
            _ => None,
        }
    }
}

impl Spell {
    fn new(persona: &Persona, day: NaiveDate, random: &mut Random) -> Self {
        let (code, _) = FAULTS[random.weighted(&FAULTS.map(|(_, share)| share))];
        let from = persona.moment(day, random);
        Self {
            code,
            from,
            to: from + Duration::minutes(random.between(20, 120)),
        }
    }
}

/// How much slower it has become since the workshop last had it, from 0: about
/// a tenth in 80 days, at the most a quarter.
fn wear(visits: &[&Visit], at: DateTime<Utc>) -> f64 {
    let serviced = visits
        .iter()
        .filter(|visit| visit.kind != VisitKind::FirmwareUpdate && visit.visited_at <= at);
    let since = serviced
        .map(|visit| at - visit.visited_at)
        .min()
        .unwrap_or_default();
    (since.num_minutes() as f64 / (24.0 * 60.0) * 0.001_25).min(0.25)
}

/// From the device to the store: seconds, or minutes where the telephone was
/// away from its wearer.
fn delivery(random: &mut Random) -> Duration {
    let away = random.chance(0.03);
    let milliseconds = if away {
        random.between(60_000, 1_200_000)
    } else {
        random.between(180, 4_000)
    };
    Duration::milliseconds(milliseconds)
}

#[cfg(test)]
mod tests {
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
}
