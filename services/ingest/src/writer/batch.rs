//! Readings between two inserts, column by column. A message is a row or a dead letter. No I/O.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Instant;

use bionicpro_mesh::clickhouse::native::{Column, Encoded};
use bionicpro_mesh::kafka::{self, Fill, Kept, Ledger, Received};
use bionicpro_proto::ingest::v1::RecordedReading;
use prost::Message;
use uuid::Uuid;

/// How ClickHouse calls where a reading comes from.
const SOURCE: &str = "Enum8('database' = 0, 'device' = 1)";
const DEVICE: u8 = 1;
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
    columns: Columns,
    rows: usize,
    /// Days of the readings, since 1970.
    days: BTreeSet<i32>,
    /// Messages that are no readings, and why.
    pub(super) dead: Vec<(Kept, Rejection)>,
    /// What it covers.
    pub(super) ledger: Ledger,
}

/// The columns of `telemetry_readings`; the run's is left to its default.
type Columns = [Column; 13];

fn columns() -> Columns {
    [
        ("id", "UUID"),
        ("prosthesis_id", "UUID"),
        ("recorded_at", "DateTime64(6, 'UTC')"),
        ("received_at", "DateTime64(6, 'UTC')"),
        ("grip", "String"),
        ("duration_ms", "UInt32"),
        ("response_ms", "UInt32"),
        ("force_mn", "UInt32"),
        ("battery_pct", "UInt8"),
        ("emg_quality_pct", "UInt8"),
        ("fault_code", "String"),
        ("source", SOURCE),
        ("arrived_us", "Int64"),
    ]
    .map(|(name, kind)| Column::new(name, kind))
}

/// A reading whose values fit their columns.
struct Row {
    id: Uuid,
    prosthesis_id: Uuid,
    day: i32,
    battery_pct: u8,
    emg_quality_pct: u8,
    reading: RecordedReading,
}

impl Row {
    fn read(payload: &[u8]) -> Result<Self, Rejection> {
        let reading = RecordedReading::decode(payload).map_err(|_| Rejection::NotAReading)?;
        let uuid =
            |bytes: &[u8], field| Uuid::from_slice(bytes).map_err(|_| Rejection::OutOfRange(field));
        let percent =
            |value: u32, field| u8::try_from(value).map_err(|_| Rejection::OutOfRange(field));
        let day = |us: i64, field| {
            let day = Some(us.div_euclid(DAY_US)).filter(|day| DAYS.contains(day));
            let day = day.and_then(|day| i32::try_from(day).ok());
            day.ok_or(Rejection::OutOfRange(field))
        };
        day(reading.received_us, "received_us")?;
        Ok(Self {
            id: uuid(&reading.id, "id")?,
            prosthesis_id: uuid(&reading.prosthesis_id, "prosthesis_id")?,
            day: day(reading.recorded_us, "recorded_us")?,
            battery_pct: percent(reading.battery_pct, "battery_pct")?,
            emg_quality_pct: percent(reading.emg_quality_pct, "emg_quality_pct")?,
            reading,
        })
    }

    fn write(&self, columns: &mut Columns) {
        let [
            id,
            prosthesis_id,
            recorded_at,
            received_at,
            grip,
            duration_ms,
            response_ms,
            force_mn,
            battery_pct,
            emg_quality_pct,
            fault_code,
            source,
            arrived_us,
        ] = columns;
        let reading = &self.reading;
        id.uuid(self.id);
        prosthesis_id.uuid(self.prosthesis_id);
        recorded_at.i64(reading.recorded_us);
        received_at.i64(reading.received_us);
        grip.text(&reading.grip);
        duration_ms.u32(reading.duration_ms);
        response_ms.u32(reading.response_ms);
        force_mn.u32(reading.force_mn);
        battery_pct.u8(self.battery_pct);
        emg_quality_pct.u8(self.emg_quality_pct);
        fault_code.text(&reading.fault_code);
        source.u8(DEVICE);
        arrived_us.i64(reading.received_us);
    }
}

impl Batch {
    pub(super) fn new(group: &str) -> Self {
        Self {
            group: group.to_owned(),
            columns: columns(),
            rows: 0,
            days: BTreeSet::new(),
            dead: Vec::new(),
            ledger: Ledger::default(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The days of the readings as a block of `telemetry_arrivals`.
    pub(super) fn days(&self) -> Encoded {
        let mut day = Column::new("day", "Date32");
        self.days.iter().for_each(|number| day.i32(*number));
        Encoded::take(&mut [day], self.days.len())
    }

    /// Takes the readings out, ready to be sent.
    pub(super) fn encode(&mut self) -> Encoded {
        Encoded::take(&mut self.columns, std::mem::take(&mut self.rows))
    }

    /// Takes the buffers of readings that were sent back, to be filled again.
    pub(super) fn reuse(&mut self, sent: Encoded) {
        sent.give_back(&mut self.columns);
    }
}

impl kafka::Batch for Batch {
    fn push(&mut self, received: Received<'_>) {
        self.ledger.enter(&received, None);
        match Row::read(received.payload.unwrap_or_default()) {
            Ok(row) => {
                row.write(&mut self.columns);
                self.rows += 1;
                self.days.insert(row.day);
                self.ledger.trace(&self.group, &received);
            }
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
        Row::read(&reading.encode_to_vec()).err()
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
