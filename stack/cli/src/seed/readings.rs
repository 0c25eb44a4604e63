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
const MOMENTS: u64 = 5;

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

    /// A reading of a device at any moment.
    pub(super) fn moment(
        &self,
        worn: &Assignment,
        at: DateTime<Utc>,
        random: &mut Random,
    ) -> Reading {
        let day = at.date_naive();
        let key = day.num_days_from_ce().unsigned_abs().into();
        // How a day goes, all of its readings have in common.
        let of_day = &mut Random::stream(
            self.seed,
            &[MOMENTS, worn.prosthesis as u64, worn.customer as u64, key],
        );
        let persona = &self.personas[worn.customer];
        WornDay::new(self.crm, worn, persona, day, of_day).reading(at, random)
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
mod tests;
