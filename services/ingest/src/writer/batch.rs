//! Messages between two inserts: each is a row or a dead letter. No I/O.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Instant;

use bionicpro_mesh::clickhouse::native::{Column, Encoded};
use bionicpro_mesh::kafka::{self, Fill, Kept, Ledger, Received};
use bionicpro_proto::ingest::v1::RecordedReading;
use prost::Message;
use uuid::Uuid;

use crate::store::readings::{Origin, Readings, Row};

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;
/// Days from 1970 that a partition can be of: a `Date` ends in 2149.
const DAYS: std::ops::Range<i64> = 0..65_378;

/// Why a message is no reading. It says which field, never the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// The message is not of the contract.
    NotAReading,
    /// A field is outside of what its column holds.
    OutOfRange(&'static str),
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAReading => formatter.write_str("NOT_A_READING"),
            Self::OutOfRange(field) => write!(formatter, "OUT_OF_RANGE {field}"),
        }
    }
}

/// Readings that are written together.
pub(super) struct Batch {
    group: String,
    readings: Readings,
    /// Days of the readings, since 1970.
    days: BTreeSet<i32>,
    /// Messages that are no readings, and why.
    pub(super) dead: Vec<(Kept, Rejection)>,
    /// What it covers.
    pub(super) ledger: Ledger,
}

/// The day of a moment, since 1970.
fn day(us: i64, field: &'static str) -> Result<i32, Rejection> {
    let day = Some(us.div_euclid(DAY_US)).filter(|day| DAYS.contains(day));
    let day = day.and_then(|day| i32::try_from(day).ok());
    day.ok_or(Rejection::OutOfRange(field))
}

/// The row of a reading whose values fit their columns.
fn row(reading: &RecordedReading) -> Result<Row<'_>, Rejection> {
    let uuid =
        |bytes: &[u8], field| Uuid::from_slice(bytes).map_err(|_| Rejection::OutOfRange(field));
    let percent = |value: u32, field| u8::try_from(value).map_err(|_| Rejection::OutOfRange(field));
    day(reading.received_us, "received_us")?;
    Ok(Row {
        id: uuid(&reading.id, "id")?,
        prosthesis_id: uuid(&reading.prosthesis_id, "prosthesis_id")?,
        recorded_us: reading.recorded_us,
        received_us: reading.received_us,
        grip: reading.grip.as_bytes(),
        duration_ms: reading.duration_ms,
        response_ms: reading.response_ms,
        force_mn: reading.force_mn,
        battery_pct: percent(reading.battery_pct, "battery_pct")?,
        emg_quality_pct: percent(reading.emg_quality_pct, "emg_quality_pct")?,
        fault_code: reading.fault_code.as_bytes(),
        origin: Origin::Device,
    })
}

impl Batch {
    pub(super) fn new(group: &str) -> Self {
        Self {
            group: group.to_owned(),
            readings: Readings::new(),
            days: BTreeSet::new(),
            dead: Vec::new(),
            ledger: Ledger::default(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.readings.rows()
    }

    /// Takes a reading in; a message that is none stays outside.
    fn take(&mut self, payload: &[u8]) -> Result<(), Rejection> {
        let reading = RecordedReading::decode(payload).map_err(|_| Rejection::NotAReading)?;
        let day = day(reading.recorded_us, "recorded_us")?;
        self.readings.push(&row(&reading)?);
        self.days.insert(day);
        Ok(())
    }

    /// The days of the readings as a block of `telemetry_arrivals`.
    pub(super) fn days(&self) -> Encoded {
        let mut day = Column::new("day", "Date32");
        self.days.iter().for_each(|number| day.i32(*number));
        Encoded::take(&mut [day], self.days.len())
    }

    /// Takes the readings out, ready to be sent.
    pub(super) fn encode(&mut self) -> Encoded {
        self.readings.encode()
    }

    /// Takes the buffers of readings that were sent back, to be filled again.
    pub(super) fn reuse(&mut self, sent: Encoded) {
        self.readings.reuse(sent);
    }
}

impl kafka::Batch for Batch {
    fn push(&mut self, received: Received<'_>) {
        self.ledger.enter(&received, None);
        match self.take(received.payload.unwrap_or_default()) {
            Ok(()) => self.ledger.trace(&self.group, &received),
            Err(rejection) => self.dead.push((received.into(), rejection)),
        }
    }

    fn fill(&self, now: Instant) -> Fill {
        self.ledger.fill(now, false)
    }

    fn clear(&mut self) {
        let rows = self.encode();
        self.reuse(rows);
        self.days.clear();
        self.dead.clear();
        self.ledger.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bionicpro_mesh::kafka::{Batch as _, Headers};
    use proptest::prelude::*;

    fn reading() -> RecordedReading {
        RecordedReading {
            id: Uuid::from_u128(7).as_bytes().to_vec().into(),
            prosthesis_id: Uuid::from_u128(8).as_bytes().to_vec().into(),
            recorded_us: 3 * DAY_US + 5,
            received_us: 3 * DAY_US + 9,
            grip: "power".into(),
            battery_pct: 80,
            ..RecordedReading::default()
        }
    }

    fn received(offset: i64, payload: Option<&[u8]>) -> Received<'_> {
        Received {
            topic: "telemetry.readings",
            partition: 1,
            offset,
            key: None,
            payload,
            headers: Headers::default(),
        }
    }

    fn rejection(change: impl FnOnce(&mut RecordedReading)) -> Option<Rejection> {
        let mut reading = reading();
        change(&mut reading);
        Batch::new("group").take(&reading.encode_to_vec()).err()
    }

    #[test]
    fn a_reading_is_a_row_of_its_day() {
        let mut batch = Batch::new("group");
        batch.push(received(5, Some(&reading().encode_to_vec())));
        assert_eq!((batch.rows(), batch.dead.len()), (1, 0));
        assert_eq!(batch.days, BTreeSet::from([3]));
    }

    #[test]
    fn what_is_no_reading_is_set_aside_with_its_place_and_moves_the_offset() {
        let mut batch = Batch::new("group");
        batch.push(received(5, Some(b"\xff\xff")));
        batch.push(received(6, None));
        assert_eq!((batch.rows(), batch.dead.len()), (0, 2));
        let (kept, rejection) = &batch.dead[0];
        assert_eq!((kept.offset, *rejection), (5, Rejection::NotAReading));
        assert_eq!(kept.value, b"\xff\xff");
        assert_eq!(batch.ledger.ranges()[0].last, 6);
    }

    #[test]
    fn a_value_that_its_column_cannot_hold_is_named_by_its_field() {
        let of = |field| Some(Rejection::OutOfRange(field));
        assert_eq!(rejection(|_| {}), None);
        assert_eq!(rejection(|it| it.id = vec![1].into()), of("id"));
        assert_eq!(rejection(|it| it.battery_pct = 256), of("battery_pct"));
        assert_eq!(rejection(|it| it.recorded_us = -1), of("recorded_us"));
        assert_eq!(rejection(|it| it.recorded_us = i64::MAX), of("recorded_us"));
        assert_eq!(rejection(|it| it.received_us = -1), of("received_us"));
    }

    #[test]
    fn a_cleared_batch_is_empty() {
        let mut batch = Batch::new("group");
        batch.push(received(5, Some(&reading().encode_to_vec())));
        batch.push(received(6, None));
        batch.clear();
        assert_eq!(
            (batch.rows(), batch.dead.len(), batch.days.len()),
            (0, 0, 0)
        );
        assert_eq!(batch.fill(Instant::now()).messages, 0);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_row_or_set_aside(payload in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut batch = Batch::new("group");
            batch.push(received(0, Some(&payload)));
            prop_assert_eq!(batch.rows() + batch.dead.len(), 1);
        }
    }
}
