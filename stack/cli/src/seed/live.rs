//! The seeded world goes on: readings of now, by the devices that are worn, as the contract's JSON.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{
    crm::{Assignment, Crm},
    plan::Plan,
    random::Random,
    readings::{Reading, Telemetry},
};

/// Devices that are worn now; the first ones are those of the people who can sign in.
#[derive(Debug)]
pub(crate) struct Live<'a> {
    telemetry: Telemetry<'a>,
    worn: Vec<&'a Assignment>,
}

impl<'a> Live<'a> {
    /// At the most `devices` of them.
    pub(super) fn new(plan: &Plan, crm: &'a Crm, devices: usize, now: DateTime<Utc>) -> Self {
        let worn = crm
            .assignments
            .iter()
            .filter(|worn| worn.valid_from <= now && worn.valid_to.is_none_or(|end| now < end));
        Self {
            telemetry: Telemetry::new(plan, crm),
            worn: worn.take(devices).collect(),
        }
    }

    /// How many there are.
    pub(crate) fn devices(&self) -> usize {
        self.worn.len()
    }

    /// `count` readings of the second before `until`, the devices taking turns; `turn` says how many
    /// there were before.
    pub(crate) fn second(&self, until: DateTime<Utc>, turn: usize, count: usize) -> Vec<Value> {
        let noise = until.timestamp_nanos_opt().unwrap_or_default();
        let mut random = Random::stream(noise.unsigned_abs(), &[turn as u64]);
        let devices = self.worn.iter().cycle().skip(turn % self.worn.len().max(1));
        devices
            .take(count)
            .enumerate()
            .map(|(number, worn)| {
                let behind = 1_000_000 * (count - number) / count.max(1);
                let at = until - Duration::microseconds(behind as i64);
                encode(&self.telemetry.moment(worn, at, &mut random))
            })
            .collect()
    }
}

fn encode(reading: &Reading) -> Value {
    json!({
        "id": reading.id.to_string(),
        "prosthesisId": reading.prosthesis_id.to_string(),
        "recordedAt": reading.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        "grip": reading.grip,
        "durationMs": reading.duration_ms,
        "responseMs": reading.response_ms,
        "forceNewtons": reading.force_mn as f64 / 1_000.0,
        "batteryPct": reading.battery_pct,
        "emgQualityPct": reading.emg_quality_pct,
        "faultCode": reading.fault_code.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn plan() -> Plan {
        Plan {
            seed: 1,
            customers: 10,
            days: 10,
            last_day: "2026-03-01".parse().expect("a day"),
        }
    }

    #[test]
    fn devices_take_turns_over_the_seconds() {
        let (plan, now) = (plan(), "2026-03-02T10:00:00Z".parse().expect("a moment"));
        let crm = Crm::new(&plan);
        let live = Live::new(&plan, &crm, 3, now);
        assert_eq!(live.devices(), 3);
        let second = |turn| live.second(now + Duration::seconds(turn as i64), turn, 2);
        let readings = [second(0), second(2), second(4)].concat();
        let of = |field: &str| -> Vec<_> {
            readings
                .iter()
                .map(|it| it[field].as_str().unwrap_or_default().to_owned())
                .collect()
        };
        let prostheses = of("prosthesisId");
        assert_eq!(prostheses[..3], prostheses[3..]);
        assert_eq!(prostheses.iter().collect::<BTreeSet<_>>().len(), 3);
        assert_eq!(of("id").iter().collect::<BTreeSet<_>>().len(), 6);
    }

    #[test]
    fn readings_lie_within_the_second_and_within_the_contract_s_bounds() {
        let (plan, now) = (plan(), "2026-03-02T10:00:00Z".parse().expect("a moment"));
        let crm = Crm::new(&plan);
        let live = Live::new(&plan, &crm, 100, now);
        for reading in live.second(now, 0, 500) {
            let at = reading["recordedAt"].as_str().expect("a time");
            assert!(
                ("2026-03-02T09:59:59".."2026-03-02T10:00:00").contains(&at),
                "{at}"
            );
            let force = reading["forceNewtons"].as_f64().expect("a number");
            assert!((0.0..=1_000.0).contains(&force));
            let id = reading["id"].as_str().expect("an id");
            assert_eq!(id.as_bytes()[14], b'7', "{id}");
        }
    }
}
