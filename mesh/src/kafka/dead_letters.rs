//! Messages that cannot be applied: they are kept as they came, with the reason, in a table of
//! their service's.

use std::{collections::BTreeMap, fmt::Display};

use chrono::{DateTime, Utc};

use super::Received;
use crate::clickhouse::native::{Column, Encoded};
use crate::telemetry::messaging;

/// A message that is kept as it came.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The topic.
    pub topic: String,
    /// The number of the partition.
    pub partition: i32,
    /// Where it stands in the partition.
    pub offset: i64,
    /// The key; empty where it has none.
    pub key: Vec<u8>,
    /// The value; empty for a tombstone.
    pub value: Vec<u8>,
}

impl From<Received<'_>> for Kept {
    fn from(received: Received<'_>) -> Self {
        Self {
            topic: received.topic.to_owned(),
            partition: received.partition,
            offset: received.offset,
            key: received.key.unwrap_or_default().to_vec(),
            value: received.payload.unwrap_or_default().to_vec(),
        }
    }
}

/// Dead letters as a block of a table with the columns `topic`, `partition`, `offset`, `key`,
/// `value`, `reason` and `failed_at`. A reason never repeats a value.
#[must_use]
pub fn block(letters: &[(Kept, impl Display)], failed_at: DateTime<Utc>) -> Encoded {
    let [
        mut topic,
        mut partition,
        mut offset,
        mut key,
        mut value,
        mut reason,
        mut at,
    ] = [
        ("topic", "String"),
        ("partition", "Int32"),
        ("offset", "Int64"),
        ("key", "String"),
        ("value", "String"),
        ("reason", "String"),
        ("failed_at", "DateTime64(6, 'UTC')"),
    ]
    .map(|(name, kind)| Column::new(name, kind));
    for (kept, why) in letters {
        topic.text(&kept.topic);
        partition.i32(kept.partition);
        offset.i64(kept.offset);
        key.binary(&kept.key);
        value.binary(&kept.value);
        reason.text(&why.to_string());
        at.i64(failed_at.timestamp_micros());
    }
    Encoded::take(
        &mut [topic, partition, offset, key, value, reason, at],
        letters.len(),
    )
}

/// Counts dead letters that are stored, and says how many there are: a line for each topic and
/// reason, however many the letters, with the place of the first one.
pub fn tell(letters: &[(Kept, impl Display)]) {
    for ((topic, reason), Tally { count, first }) in tallies(letters) {
        messaging::dead_letters(topic, count);
        let (partition, offset) = (first.partition, first.offset);
        tracing::warn!(
            topic,
            reason,
            count,
            partition,
            offset,
            "messages set aside"
        );
    }
}

/// The dead letters of a topic that have one reason.
#[derive(Debug)]
struct Tally<'a> {
    count: u64,
    /// The one that came first.
    first: &'a Kept,
}

/// By topic and reason.
fn tallies(letters: &[(Kept, impl Display)]) -> BTreeMap<(&str, String), Tally<'_>> {
    let mut tallies = BTreeMap::new();
    for (kept, why) in letters {
        let tally = tallies.entry((kept.topic.as_str(), why.to_string()));
        let first = Tally {
            count: 0,
            first: kept,
        };
        tally.or_insert(first).count += 1;
    }
    tallies
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(topic: &str, offset: i64, why: &'static str) -> (Kept, &'static str) {
        let kept = Kept {
            topic: topic.to_owned(),
            partition: 2,
            offset,
            key: Vec::new(),
            value: b"somebody".to_vec(),
        };
        (kept, why)
    }

    #[test]
    fn a_flood_of_dead_letters_is_a_count_for_each_topic_and_reason() {
        let mut letters: Vec<_> = (10..1_010).map(|at| letter("a", at, "NOT_JSON")).collect();
        letters.extend([
            letter("a", 1_010, "UNKNOWN_TABLE"),
            letter("b", 7, "NOT_JSON"),
        ]);
        let tallies = tallies(&letters);
        let told: Vec<_> = tallies
            .iter()
            .map(|((topic, why), tally)| (*topic, why.as_str(), tally.count, tally.first.offset))
            .collect();
        assert_eq!(
            told,
            [
                ("a", "NOT_JSON", 1_000, 10),
                ("a", "UNKNOWN_TABLE", 1, 1_010),
                ("b", "NOT_JSON", 1, 7),
            ]
        );
    }
}
