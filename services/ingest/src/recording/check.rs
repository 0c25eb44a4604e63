//! The rules of a reading's fields, which stand in the contract beside them. No I/O.

use bionicpro_proto::ingest::v1::{Reading, RecordedReading};
use bytes::Bytes;
use prost_types::Timestamp;
use uuid::{Uuid, Variant};

/// How far a device's clock may be ahead of ours.
const AHEAD_US: i64 = 2 * 60 * 1_000_000;
/// How old a reading may be: as many days as the store of readings has at the most.
const OLDEST_US: i64 = 3_660 * 24 * 60 * 60 * 1_000_000;
const DAY_MS: u32 = 24 * 60 * 60 * 1_000;
const MINUTE_MS: u32 = 60 * 1_000;
const MOST_NEWTONS: f64 = 1_000.0;
const LONGEST_NAME: usize = 32;

/// Why a reading is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// The field that is at fault.
    pub(crate) field: &'static str,
    /// What is wrong with it and what to do, without its value.
    pub(crate) problem: &'static str,
}

/// Checks a reading that was received at `received_us`, in microseconds since 1970; answers its id
/// and what is kept of it.
pub(super) fn check(
    reading: &Reading,
    received_us: i64,
) -> Result<(Uuid, RecordedReading), Rejection> {
    let id = id(&reading.id)?;
    let prosthesis = Uuid::try_parse(&reading.prosthesis_id).map_err(|_| Rejection {
        field: "prosthesis_id",
        problem: "The prosthesis is not a UUID: send the id that the CRM gave it.",
    })?;
    let recorded = RecordedReading {
        id: Bytes::copy_from_slice(id.as_bytes()),
        prosthesis_id: Bytes::copy_from_slice(prosthesis.as_bytes()),
        recorded_us: recorded_us(reading.recorded_at.as_ref(), received_us)?,
        received_us,
        grip: grip(&reading.grip)?,
        duration_ms: at_most(reading.duration_ms, DAY_MS, "duration_ms")?,
        response_ms: at_most(reading.response_ms, MINUTE_MS, "response_ms")?,
        force_mn: millinewtons(reading.force_newtons)?,
        battery_pct: at_most(reading.battery_pct, 100, "battery_pct")?,
        emg_quality_pct: at_most(reading.emg_quality_pct, 100, "emg_quality_pct")?,
        fault_code: fault_code(&reading.fault_code)?,
    };
    Ok((id, recorded))
}

fn id(text: &str) -> Result<Uuid, Rejection> {
    Uuid::try_parse(text)
        .ok()
        .filter(|id| id.get_version_num() == 7 && id.get_variant() == Variant::RFC4122)
        .ok_or(Rejection {
            field: "id",
            problem: "The id is not a UUID of version 7: let the device make one for each reading.",
        })
}

fn recorded_us(recorded_at: Option<&Timestamp>, received_us: i64) -> Result<i64, Rejection> {
    let wrong = |problem| Rejection {
        field: "recorded_at",
        problem,
    };
    let time = recorded_at.ok_or(wrong("The reading has no time: say when it was recorded."))?;
    let nanos = u32::try_from(time.nanos)
        .ok()
        .filter(|it| *it < 1_000_000_000);
    let micros = nanos.and_then(|nanos| {
        time.seconds
            .checked_mul(1_000_000)?
            .checked_add(i64::from(nanos / 1_000))
    });
    let micros = micros.ok_or(wrong(
        "There is no such time: send seconds and nanoseconds.",
    ))?;
    if micros.saturating_sub(AHEAD_US) > received_us {
        return Err(wrong(
            "The time lies more than two minutes in the future: set the device's clock.",
        ));
    }
    if micros < received_us.saturating_sub(OLDEST_US) {
        return Err(wrong(
            "The time lies more than 3,660 days back: set the device's clock.",
        ));
    }
    Ok(micros)
}

fn at_most(value: u32, most: u32, field: &'static str) -> Result<u32, Rejection> {
    let problem = match field {
        "duration_ms" => "A grip is held for a day at the most: send milliseconds.",
        "response_ms" => "An answer takes a minute at the most: send milliseconds.",
        _ => "The value is not a percentage: send 0 to 100.",
    };
    if value <= most {
        Ok(value)
    } else {
        Err(Rejection { field, problem })
    }
}

/// To the nearest millinewton.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is a whole one and in range"
)]
fn millinewtons(newtons: f64) -> Result<u32, Rejection> {
    // Neither NaN nor an infinity is in the range.
    if (0.0..=MOST_NEWTONS).contains(&newtons) {
        Ok((newtons * 1_000.0).round() as u32)
    } else {
        Err(Rejection {
            field: "force_newtons",
            problem: "The force is not a number of newtons from 0 to 1,000.",
        })
    }
}

fn grip(name: &str) -> Result<String, Rejection> {
    let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    if !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(known) {
        Ok(name.to_owned())
    } else {
        Err(Rejection {
            field: "grip",
            problem: "A grip has a name of 1 to 32 characters out of a-z, 0-9 and _.",
        })
    }
}

fn fault_code(code: &str) -> Result<String, Rejection> {
    let known = |byte: u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_');
    if code.len() <= LONGEST_NAME && code.bytes().all(known) {
        Ok(code.to_owned())
    } else {
        Err(Rejection {
            field: "fault_code",
            problem: "A fault has a code of at most 32 characters out of A-Z, 0-9 and _.",
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    pub(in crate::recording) const NOW_US: i64 = 1_795_600_000_000_000;

    /// A good one.
    pub(in crate::recording) fn reading() -> Reading {
        Reading {
            id: "019c0000-0000-7000-8000-000000000001".into(),
            prosthesis_id: "01900000-0000-4000-8000-000000000001".into(),
            recorded_at: Some(at(NOW_US)),
            grip: "power".into(),
            duration_ms: 900,
            response_ms: 180,
            force_newtons: 12.3456,
            battery_pct: 80,
            emg_quality_pct: 90,
            fault_code: String::new(),
        }
    }

    fn at(us: i64) -> Timestamp {
        Timestamp {
            seconds: us.div_euclid(1_000_000),
            nanos: i32::try_from(us.rem_euclid(1_000_000) * 1_000).unwrap(),
        }
    }

    fn fault(change: impl FnOnce(&mut Reading)) -> &'static str {
        let mut reading = reading();
        change(&mut reading);
        check(&reading, NOW_US).map_or_else(|rejection| rejection.field, |_| "none")
    }

    #[test]
    fn a_good_reading_is_kept_in_the_units_of_the_tables() {
        let (id, kept) = check(&reading(), NOW_US).unwrap();
        assert_eq!(id.as_bytes().as_slice(), kept.id);
        assert_eq!((kept.recorded_us, kept.received_us), (NOW_US, NOW_US));
        assert_eq!((kept.force_mn, kept.battery_pct), (12_346, 80));
    }

    #[test]
    fn only_a_uuid_of_version_7_is_an_id() {
        for id in [
            "",
            "7",
            "01900000-0000-4000-8000-000000000001",
            "01900000-0000-7000-0000-000000000001",
        ] {
            assert_eq!(fault(|it| it.id = id.into()), "id", "{id}");
        }
    }

    #[test]
    fn what_is_no_force_is_refused() {
        for force in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.001, 1_000.01] {
            assert_eq!(
                fault(|it| it.force_newtons = force),
                "force_newtons",
                "{force}"
            );
        }
        for force in [0.0, -0.0, 1_000.0] {
            assert_eq!(fault(|it| it.force_newtons = force), "none", "{force}");
        }
    }

    #[test]
    fn a_time_beyond_the_tolerances_is_refused() {
        for (us, expected) in [
            (NOW_US + AHEAD_US, "none"),
            (NOW_US + AHEAD_US + 1, "recorded_at"),
            (NOW_US - OLDEST_US, "none"),
            (NOW_US - OLDEST_US - 1, "recorded_at"),
        ] {
            assert_eq!(fault(|it| it.recorded_at = Some(at(us))), expected, "{us}");
        }
        assert_eq!(fault(|it| it.recorded_at = None), "recorded_at");
        let seconds = i64::MAX;
        let endless = Timestamp { seconds, nanos: 0 };
        assert_eq!(fault(|it| it.recorded_at = Some(endless)), "recorded_at");
        let (seconds, nanos) = (NOW_US / 1_000_000, 1_000_000_000);
        let invalid = Timestamp { seconds, nanos };
        assert_eq!(fault(|it| it.recorded_at = Some(invalid)), "recorded_at");
    }

    #[test]
    fn numbers_names_and_codes_have_their_bounds() {
        assert_eq!(fault(|it| it.duration_ms = DAY_MS + 1), "duration_ms");
        assert_eq!(fault(|it| it.response_ms = MINUTE_MS + 1), "response_ms");
        assert_eq!(fault(|it| it.battery_pct = 101), "battery_pct");
        assert_eq!(fault(|it| it.emg_quality_pct = 101), "emg_quality_pct");
        assert_eq!(fault(|it| it.prosthesis_id = "7".into()), "prosthesis_id");
        for grip in ["", "Power", "пинч", &"a".repeat(33)] {
            assert_eq!(fault(|it| it.grip = grip.into()), "grip", "{grip}");
        }
        for code in ["e1", "E 1", &"E".repeat(33)] {
            assert_eq!(
                fault(|it| it.fault_code = code.into()),
                "fault_code",
                "{code}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_reading_is_kept_in_bounds_or_refused(
            id in ".{0,40}", seconds: i64, nanos: i32, force: f64, grip in ".{0,40}", number: u32,
        ) {
            let recorded_at = Some(Timestamp { seconds, nanos });
            let (duration_ms, battery_pct) = (number, number);
            let any = Reading { recorded_at, force_newtons: force, grip, duration_ms, battery_pct, ..reading() };
            if let Ok((_, kept)) = check(&any, NOW_US) {
                prop_assert!(kept.force_mn <= 1_000_000 && kept.battery_pct <= 100);
                prop_assert!((NOW_US - OLDEST_US..=NOW_US + AHEAD_US).contains(&kept.recorded_us));
            }
            let _ = check(&Reading { id, ..any }, NOW_US);
        }

        #[test]
        fn a_force_is_kept_to_the_nearest_millinewton(mn in 0_u32..=1_000_000) {
            prop_assert_eq!(millinewtons(f64::from(mn) / 1_000.0), Ok(mn));
        }
    }
}
