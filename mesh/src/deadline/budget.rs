//! The deadline of the call that is being handled, and how gRPC writes time-outs.

use std::time::Duration;

use tokio::time::Instant;

tokio::task_local! {
    pub(super) static DEADLINE: Instant;
}

/// The deadline of the call that this task handles.
pub(crate) fn current() -> Option<Instant> {
    DEADLINE.try_with(|deadline| *deadline).ok()
}

/// What is left of the time of the call that this task handles; nothing outside of a call, in
/// one without a deadline, and in tasks that a handler spawned.
#[must_use]
pub fn remaining() -> Option<Duration> {
    current().map(|deadline| deadline.saturating_duration_since(Instant::now()))
}

/// Reads `grpc-timeout`: at most eight digits and a unit.
pub(crate) fn parse_timeout(value: &str) -> Option<Duration> {
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// Writes `grpc-timeout` in the finest unit whose number fits into eight digits.
pub(crate) fn format_timeout(timeout: Duration) -> String {
    const LIMIT: u128 = 100_000_000;
    let units = [
        (timeout.as_nanos(), 'n'),
        (timeout.as_micros(), 'u'),
        (timeout.as_millis(), 'm'),
    ];
    match units.into_iter().find(|(amount, _)| *amount < LIMIT) {
        Some((amount, unit)) => format!("{amount}{unit}"),
        None => format!("{}S", timeout.as_secs().min(99_999_999)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back_to_eight_digits(nanoseconds in 0_u64..90_000_000_000_000_000) {
            let timeout = Duration::from_nanos(nanoseconds);
            let read = parse_timeout(&format_timeout(timeout));
            let exact = read.is_some_and(|read| {
                read <= timeout && timeout - read <= Duration::from_secs(1).min(timeout / 10_000)
            });
            prop_assert!(exact, "{timeout:?} was read as {read:?}");
        }

        #[test]
        fn reading_never_panics(value in ".{0,12}") {
            let _ = parse_timeout(&value);
        }
    }

    #[test]
    fn every_unit_is_read() {
        let read = ["2H", "2M", "2S", "2m", "2u", "2n"].map(parse_timeout);
        let nanoseconds = read.map(|it| it.map(|it| it.as_nanos()));
        let expected = [
            7_200_000_000_000,
            120_000_000_000,
            2_000_000_000,
            2_000_000,
            2_000,
            2,
        ];
        assert_eq!(nanoseconds, expected.map(Some));
    }

    #[test]
    fn what_is_not_a_timeout_is_ignored() {
        for value in ["", "S", "1", "1s", "123456789S", "-1S", "1.5S", "١S"] {
            assert_eq!(parse_timeout(value), None, "{value}");
        }
    }
}
