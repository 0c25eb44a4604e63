//! Messages that cannot be applied: they are kept as they came, with the reason, in a table of
//! their service's.

use std::fmt::Display;

use chrono::{DateTime, Utc};

use super::Received;
use crate::clickhouse::native::{Column, Encoded};

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
pub fn dead_letters(letters: &[(Kept, impl Display)], failed_at: DateTime<Utc>) -> Encoded {
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
