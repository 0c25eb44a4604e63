//! The messages of the log: what Debezium writes of the CRM's customers, made
//! from a number alone. Each is about another customer.

use serde_json::{Value, json};

/// The position in the CRM's log of the first message; those of the others follow.
pub(crate) const FIRST_LSN: u64 = 31_961_040;
/// When the first one happened: 2026-11-24T12:00:00Z, in microseconds since 1970.
const BEGAN_US: u64 = 1_795_521_600_000_000;

const FIRST_NAMES: [&str; 8] = [
    "Anna",
    "Инна",
    "James",
    "Мария",
    "Noor",
    "Олег",
    "Zoë",
    "Wei",
];
const LAST_NAMES: [&str; 8] = [
    "O'Neill",
    "Соколова",
    "Müller",
    "Петренко",
    "Haddad",
    "Smith",
    "Жданов",
    "Zhang",
];
const PLACES: [(&str, &str, &str); 4] = [
    ("GB", "en-GB", "Europe/London"),
    ("RU", "ru-RU", "Europe/Moscow"),
    ("DE", "de-DE", "Europe/Berlin"),
    ("KZ", "ru-KZ", "Asia/Almaty"),
];

/// A record: its key and its value.
pub(crate) struct Record {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The position of a message in the CRM's log.
pub(crate) fn lsn(number: u64) -> u64 {
    FIRST_LSN + number
}

/// Message `number` of the log.
pub(crate) fn record(number: u64) -> Record {
    let id = format!("01900000-0000-7000-8000-{number:012x}");
    let lsn = lsn(number);
    let micros = BEGAN_US + number;
    let envelope = json!({
        "before": null,
        "after": customer(&id, number),
        "source": {
            "version": "3.6.3.Final", "connector": "postgresql", "name": "crm",
            "ts_ms": micros / 1000, "snapshot": null, "db": "crm",
            "sequence": format!("[\"{}\",\"{lsn}\"]", lsn - 1),
            "ts_us": micros, "ts_ns": micros * 1000,
            "schema": "public", "table": "customers",
            "txId": 764 + number, "lsn": lsn, "xmin": null, "origin": null, "origin_lsn": null,
        },
        "transaction": null,
        "op": "u",
        "ts_ms": micros / 1000, "ts_us": micros, "ts_ns": micros * 1000,
    });
    Record {
        key: json!({ "id": id }).to_string(),
        value: envelope.to_string(),
    }
}

fn customer(id: &str, number: u64) -> Value {
    let pick = |among: usize, apart: u64| {
        usize::try_from(number / apart).map_or(0, |number| number % among)
    };
    let (country, locale, time_zone) = PLACES[pick(PLACES.len(), 1)];
    let first = FIRST_NAMES[pick(FIRST_NAMES.len(), 3)];
    let last = LAST_NAMES[pick(LAST_NAMES.len(), 7)];
    json!({
        "id": id,
        "full_name": format!("{first} {last}"),
        "email": format!("customer-{number}@example.org"),
        "phone": format!("+44{:010}", 7_700_900_000 + number),
        "country": country,
        "locale": locale,
        "time_zone": time_zone,
        "status": if number.is_multiple_of(16) { "paused" } else { "active" },
        "created_at": "2025-03-01T08:15:30.000001Z",
        "updated_at": instant(number),
        "tracingspancontext": null,
    })
}

/// The time of a message as Debezium writes it; a log of a day has room for all.
fn instant(number: u64) -> String {
    let (seconds, micros) = (number / 1_000_000 % 43_200, number % 1_000_000);
    let (hour, minute, second) = (12 + seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("2026-11-24T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_message_is_about_as_large_as_a_real_one() {
        let bytes = record(999_999).value.len();
        assert!((600..900).contains(&bytes), "{bytes}");
    }

    #[test]
    fn every_message_is_about_another_customer_at_another_place() {
        let (one, two) = (record(1), record(2));
        assert_ne!(one.key, two.key);
        assert!(one.value.contains(&format!("\"lsn\":{}", lsn(1))));
        assert!(two.value.contains(&format!("\"lsn\":{}", lsn(2))));
        serde_json::from_str::<Value>(&one.value).unwrap();
    }
}
