//! Values as Debezium writes them, read into the numbers that ClickHouse keeps: instants, days
//! and decimals. Each is exact or refused; nothing is rounded, but an end too far away is none.

use chrono::{DateTime, NaiveDate};

/// Microseconds of the first and the last instant that `DateTime64(6)` holds.
const FIRST_INSTANT_US: i64 = -2_208_988_800_000_000;
const LAST_INSTANT_US: i64 = 10_413_791_999_999_999;

/// Days since 1970-01-01 of the first and the last date that `Date32` holds.
const FIRST_DAY: i64 = -25_567;
const LAST_DAY: i64 = 120_529;

/// Why a text or number is not the value that its column needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It has another form.
    Form,
    /// It has the form, but the column cannot hold it.
    Range,
}

/// An instant such as `2026-11-24T12:40:14.979082Z`, in microseconds since 1970.
pub(crate) fn instant_us(text: &str) -> Result<i64, Fault> {
    end_us(text)?.ok_or(Fault::Range)
}

/// The end of a period, written as an instant; none where it is later than the column can hold. CRMs
/// write such a year (9999, say) where they mean that there is no end.
pub(crate) fn end_us(text: &str) -> Result<Option<i64>, Fault> {
    let us = match utc_instant_us(text.as_bytes()) {
        Some(us) => us,
        None => DateTime::parse_from_rfc3339(text)
            .map_err(|_| Fault::Form)?
            .timestamp_micros(),
    };
    match us {
        ..FIRST_INSTANT_US => Err(Fault::Range),
        FIRST_INSTANT_US..=LAST_INSTANT_US => Ok(Some(us)),
        _ => Ok(None),
    }
}

/// The form that Debezium writes (UTC, at most six decimals), several times faster than a
/// general parser; none for any other form.
fn utc_instant_us(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (time, rest) = rest.split_at_checked(9)?;
    let fraction_us = match rest {
        b"Z" => 0,
        [b'.', decimals @ .., b'Z'] if (1..=6).contains(&decimals.len()) => {
            let scale = 10_i64.pow(6 - u32::try_from(decimals.len()).ok()?);
            number(decimals)? * scale
        }
        _ => return None,
    };
    let [b'T', _, _, b':', _, _, b':', _, _] = time else {
        return None;
    };
    let [_, _, _, _, b'-', _, _, b'-', _, _] = date else {
        return None;
    };
    let (hour, minute, second) = (
        number(&time[1..3])?,
        number(&time[4..6])?,
        number(&time[7..9])?,
    );
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(
        i32::try_from(number(&date[..4])?).ok()?,
        u32::try_from(number(&date[5..7])?).ok()?,
        u32::try_from(number(&date[8..])?).ok()?,
    )?;
    let days = i64::from(day.to_epoch_days());
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(seconds * 1_000_000 + fraction_us)
}

/// A number of digits alone, few enough that it cannot overflow.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |sum, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + i64::from(digit - b'0'))
    })
}

/// A date as Debezium counts it: days since 1970-01-01.
pub(crate) fn date(days: i64) -> Result<i32, Fault> {
    if !(FIRST_DAY..=LAST_DAY).contains(&days) {
        return Err(Fault::Range);
    }
    i32::try_from(days).map_err(|_| Fault::Range)
}

/// A decimal such as `-12.50`, in units of 10^-`scale`; `precision` counts all digits.
pub(crate) fn decimal(text: &str, precision: u32, scale: u32) -> Result<i64, Fault> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, decimals) = match point {
        Some(at) => (&digits[..at], &digits[at + 1..]),
        None => (digits, &digits[..0]),
    };
    let form = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    if !form(whole) || (point.is_some() && !form(decimals)) {
        return Err(Fault::Form);
    }
    let scale = scale as usize;
    // More decimals than the column has: only zeros lose nothing.
    if decimals.iter().skip(scale).any(|digit| *digit != b'0') {
        return Err(Fault::Range);
    }
    let padded = decimals.iter().chain(std::iter::repeat(&b'0')).take(scale);
    let limit = 10_i64.pow(precision);
    let unscaled = whole
        .iter()
        .chain(padded)
        .try_fold(0, |sum, digit| append(sum, *digit, limit))?;
    Ok(if negative { -unscaled } else { unscaled })
}

fn append(sum: i64, digit: u8, limit: i64) -> Result<i64, Fault> {
    let next = sum * 10 + i64::from(digit - b'0');
    if next < limit {
        Ok(next)
    } else {
        Err(Fault::Range)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use chrono::{SecondsFormat, TimeZone, Utc};
    use proptest::prelude::*;

    #[test]
    fn an_instant_keeps_its_microseconds() {
        assert_eq!(
            instant_us("2026-11-24T12:40:14.979082Z"),
            Ok(1_795_524_014_979_082)
        );
        assert_eq!(
            instant_us("2026-11-24T12:40:14.97Z"),
            Ok(1_795_524_014_970_000)
        );
        assert_eq!(instant_us("1969-12-31T23:59:59Z"), Ok(-1_000_000));
    }

    #[test]
    fn an_offset_is_taken_into_account() {
        assert_eq!(instant_us("1970-01-01T03:00:00+03:00"), Ok(0));
    }

    #[test]
    fn an_instant_that_the_column_cannot_hold_is_out_of_range() {
        assert_eq!(instant_us("1899-12-31T23:59:59.999999Z"), Err(Fault::Range));
        assert_eq!(instant_us("1900-01-01T00:00:00Z"), Ok(FIRST_INSTANT_US));
        assert_eq!(
            instant_us("2299-12-31T23:59:59.999999Z"),
            Ok(LAST_INSTANT_US)
        );
        assert_eq!(instant_us("2300-01-01T00:00:00Z"), Err(Fault::Range));
    }

    #[test]
    fn an_end_later_than_the_column_can_hold_is_none() {
        let last = "2299-12-31T23:59:59.999999Z";
        assert_eq!(end_us(last), Ok(Some(LAST_INSTANT_US)));
        assert_eq!(end_us("2300-01-01T00:00:00Z"), Ok(None));
        assert_eq!(end_us("9999-12-31T23:59:59.999999Z"), Ok(None));
        assert_eq!(end_us("1899-12-31T23:59:59.999999Z"), Err(Fault::Range));
        assert_eq!(end_us("never"), Err(Fault::Form));
    }

    #[test]
    fn a_date_outside_of_the_column_is_out_of_range() {
        assert_eq!(date(FIRST_DAY), Ok(-25_567));
        assert_eq!(date(FIRST_DAY - 1), Err(Fault::Range));
        assert_eq!(date(LAST_DAY), Ok(120_529));
        assert_eq!(date(LAST_DAY + 1), Err(Fault::Range));
    }

    #[test]
    fn a_decimal_is_exact_or_refused() {
        assert_eq!(decimal("12.50", 12, 2), Ok(1_250));
        assert_eq!(decimal("-0.01", 12, 2), Ok(-1));
        assert_eq!(decimal("7", 12, 2), Ok(700));
        assert_eq!(decimal("1.5", 12, 2), Ok(150));
        assert_eq!(decimal("1.500", 12, 2), Ok(150));
        assert_eq!(decimal("9999999999.99", 12, 2), Ok(999_999_999_999));
        assert_eq!(decimal("10000000000.00", 12, 2), Err(Fault::Range));
        assert_eq!(decimal("1.505", 12, 2), Err(Fault::Range));
        for text in ["", "-", ".", "1.", ".5", "1e3", "NAN", "+1", "1.2.3", " 1"] {
            assert_eq!(decimal(text, 12, 2), Err(Fault::Form), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_instant_reads_back(us in FIRST_INSTANT_US..=LAST_INSTANT_US) {
            let at = Utc.timestamp_micros(us).unwrap();
            for format in [SecondsFormat::Micros, SecondsFormat::AutoSi] {
                prop_assert_eq!(instant_us(&at.to_rfc3339_opts(format, true)), Ok(us));
            }
        }

        #[test]
        fn every_decimal_reads_back(cents in -999_999_999_999_i64..=999_999_999_999) {
            let sign = if cents < 0 { "-" } else { "" };
            let text = format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100);
            prop_assert_eq!(decimal(&text, 12, 2), Ok(cents));
        }

        #[test]
        fn no_text_makes_a_parser_panic(text in "\\PC{0,40}") {
            let _ = instant_us(&text);
            let _ = decimal(&text, 12, 2);
        }

        #[test]
        fn no_text_of_nearly_the_right_form_makes_a_parser_panic(text in "[0-9TZ:.+-]{0,32}") {
            let _ = instant_us(&text);
            let _ = decimal(&text, 12, 2);
        }
    }
}
