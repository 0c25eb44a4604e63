//! Turns readings as Postgres copies them out (binary COPY) into blocks as ClickHouse takes them
//! (Native), without an allocation per row. Not here: who reads and who writes.
//!
//! Format: PostgreSQL "COPY, Binary Format".

use bionicpro_mesh::clickhouse::native::Encoded;
use uuid::Uuid;

use crate::store::readings::{Origin, Readings, Row};

/// The columns, in the order in which both sides have them. Their types are those of
/// `readings` at the source and of `telemetry_readings` here.
pub(crate) const COLUMNS: &str = "id, prosthesis_id, recorded_at, received_at, grip, duration_ms, \
     response_ms, force_mn, battery_pct, emg_quality_pct, fault_code";

const FIELDS: i16 = 11;
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Microseconds from 1970-01-01 to 2000-01-01, where Postgres' time begins.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Why bytes are not readings. It names the column, never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("the copy stream does not begin with the signature of the binary format")]
    Signature,
    #[error("the copy stream has a row that is cut off")]
    CutOff,
    #[error("the copy stream has a row with another number of columns")]
    Columns,
    #[error("a reading has no usable {0}")]
    Field(&'static str),
}

/// Transcodes the frames of one copy stream.
#[derive(Debug)]
pub(crate) struct Transcoder {
    run_id: Uuid,
    began: bool,
    readings: Readings,
}

impl Transcoder {
    /// Rows made by it are this run's.
    pub(crate) fn new(run_id: Uuid) -> Self {
        Self {
            run_id,
            began: false,
            readings: Readings::new(),
        }
    }

    /// Takes the rows of a frame. Frames are those of the protocol's CopyData: Postgres never splits
    /// a row over two.
    pub(crate) fn frame(&mut self, frame: &[u8]) -> Result<(), Malformed> {
        let mut source = Source(frame);
        if !self.began {
            source.header()?;
            self.began = true;
        }
        while !source.0.is_empty() {
            match source.i16()? {
                FIELDS => self.readings.push(&source.row(self.run_id)?),
                // The trailer: nothing follows it.
                -1 => break,
                _ => return Err(Malformed::Columns),
            }
        }
        Ok(())
    }

    /// The rows since the last block, and how many they are.
    pub(crate) fn block(&mut self) -> (Encoded, u64) {
        let rows = self.readings.rows() as u64;
        (self.readings.encode(), rows)
    }

    /// Takes the buffers of a block that was sent back, to be filled again.
    pub(crate) fn reuse(&mut self, sent: Encoded) {
        self.readings.reuse(sent);
    }
}

/// What is left of a frame.
struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    fn header(&mut self) -> Result<(), Malformed> {
        let signature = self.0.get(..SIGNATURE.len());
        if signature != Some(SIGNATURE) {
            return Err(Malformed::Signature);
        }
        self.take(SIGNATURE.len())?;
        let _flags: [u8; 4] = self.array()?;
        let extension = u32::from_be_bytes(self.array()?);
        self.take(extension as usize)?;
        Ok(())
    }

    /// The fields of a row, in the order of [`COLUMNS`].
    fn row(&mut self, run: Uuid) -> Result<Row<'a>, Malformed> {
        Ok(Row {
            id: self.uuid("id")?,
            prosthesis_id: self.uuid("prosthesis_id")?,
            recorded_us: self.micros("recorded_at")?,
            received_us: self.micros("received_at")?,
            grip: self.required("grip")?,
            duration_ms: self.natural("duration_ms")?,
            response_ms: self.natural("response_ms")?,
            force_mn: self.natural("force_mn")?,
            battery_pct: self.percent("battery_pct")?,
            emg_quality_pct: self.percent("emg_quality_pct")?,
            fault_code: self.field()?.unwrap_or_default(),
            origin: Origin::Run(run),
        })
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed::CutOff)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed::CutOff)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn i16(&mut self) -> Result<i16, Malformed> {
        self.array().map(i16::from_be_bytes)
    }

    /// The next field's bytes, or none for NULL.
    fn field(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let length = i32::from_be_bytes(self.array()?);
        usize::try_from(length)
            .ok()
            .map(|length| self.take(length))
            .transpose()
    }

    fn required(&mut self, column: &'static str) -> Result<&'a [u8], Malformed> {
        self.field()?.ok_or(Malformed::Field(column))
    }

    fn fixed<const N: usize>(&mut self, column: &'static str) -> Result<&'a [u8; N], Malformed> {
        self.required(column)?
            .try_into()
            .map_err(|_| Malformed::Field(column))
    }

    fn uuid(&mut self, column: &'static str) -> Result<Uuid, Malformed> {
        self.fixed(column).map(|bytes| Uuid::from_bytes(*bytes))
    }

    fn micros(&mut self, column: &'static str) -> Result<i64, Malformed> {
        i64::from_be_bytes(*self.fixed(column)?)
            // Infinity is the largest value: it does not fit.
            .checked_add(POSTGRES_EPOCH_MICROS)
            .ok_or(Malformed::Field(column))
    }

    fn natural(&mut self, column: &'static str) -> Result<u32, Malformed> {
        u32::try_from(i32::from_be_bytes(*self.fixed(column)?))
            .map_err(|_| Malformed::Field(column))
    }

    fn percent(&mut self, column: &'static str) -> Result<u8, Malformed> {
        u8::try_from(i16::from_be_bytes(*self.fixed(column)?)).map_err(|_| Malformed::Field(column))
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    pub(in crate::daily_load) const RUN: Uuid = Uuid::from_u128(9);
    const PROSTHESIS: Uuid = Uuid::from_u128(7 << 64 | 8);

    #[derive(Debug, Clone)]
    pub(in crate::daily_load) struct Reading {
        id: [u8; 16],
        recorded_at: i64,
        grip: String,
        duration_ms: i32,
        battery_pct: i16,
        fault_code: Option<String>,
    }

    fn reading() -> impl Strategy<Value = Reading> {
        (
            any::<[u8; 16]>(),
            -POSTGRES_EPOCH_MICROS..POSTGRES_EPOCH_MICROS,
            ".{0,200}",
            0..i32::MAX,
            0i16..=100,
            proptest::option::of("[A-Z0-9]{1,8}"),
        )
            .prop_map(
                |(id, recorded_at, grip, duration_ms, battery_pct, fault_code)| Reading {
                    id,
                    recorded_at,
                    grip,
                    duration_ms,
                    battery_pct,
                    fault_code,
                },
            )
    }

    fn field(frame: &mut Vec<u8>, bytes: &[u8]) {
        frame.extend(i32::try_from(bytes.len()).unwrap().to_be_bytes());
        frame.extend(bytes);
    }

    /// As Postgres sends it.
    pub(in crate::daily_load) fn tuple(reading: &Reading) -> Vec<u8> {
        let mut frame = FIELDS.to_be_bytes().to_vec();
        field(&mut frame, &reading.id);
        field(&mut frame, PROSTHESIS.as_bytes());
        field(&mut frame, &reading.recorded_at.to_be_bytes());
        field(&mut frame, &0i64.to_be_bytes());
        field(&mut frame, reading.grip.as_bytes());
        for value in [reading.duration_ms, 2, 3] {
            field(&mut frame, &value.to_be_bytes());
        }
        for value in [reading.battery_pct, 5] {
            field(&mut frame, &value.to_be_bytes());
        }
        match &reading.fault_code {
            Some(code) => field(&mut frame, code.as_bytes()),
            None => frame.extend((-1i32).to_be_bytes()),
        }
        frame
    }

    pub(in crate::daily_load) fn header() -> Vec<u8> {
        [SIGNATURE, &[0; 8]].concat()
    }

    /// The bytes of a block.
    pub(in crate::daily_load) fn bytes(block: &Encoded) -> Vec<u8> {
        block.chunks().flatten().collect()
    }

    /// As ClickHouse shall have them.
    pub(in crate::daily_load) fn block(readings: &[Reading]) -> Vec<u8> {
        let mut rows = Readings::new();
        for reading in readings {
            rows.push(&Row {
                id: Uuid::from_bytes(reading.id),
                prosthesis_id: PROSTHESIS,
                recorded_us: reading.recorded_at + POSTGRES_EPOCH_MICROS,
                received_us: POSTGRES_EPOCH_MICROS,
                grip: reading.grip.as_bytes(),
                duration_ms: reading.duration_ms.unsigned_abs(),
                response_ms: 2,
                force_mn: 3,
                battery_pct: u8::try_from(reading.battery_pct).unwrap(),
                emg_quality_pct: 5,
                fault_code: reading.fault_code.as_deref().unwrap_or_default().as_bytes(),
                origin: Origin::Run(RUN),
            });
        }
        bytes(&rows.encode())
    }

    fn transcode(frames: &[Vec<u8>]) -> Result<(u64, Vec<u8>), Malformed> {
        let mut transcoder = Transcoder::new(RUN);
        for frame in frames {
            transcoder.frame(frame)?;
        }
        let (block, rows) = transcoder.block();
        Ok((rows, bytes(&block)))
    }

    proptest! {
        #[test]
        fn readings_come_out_as_they_went_in_however_they_are_framed(
            readings in proptest::collection::vec(reading(), 0..20),
        ) {
            let tuples: Vec<_> = readings.iter().map(tuple).collect();
            let together = [header(), tuples.concat(), (-1i16).to_be_bytes().to_vec()].concat();
            let apart: Vec<_> = [vec![header()], tuples].concat();
            let expected = (readings.len() as u64, block(&readings));
            prop_assert_eq!(transcode(&[together]).unwrap(), expected.clone());
            prop_assert_eq!(transcode(&apart).unwrap(), expected);
        }

        #[test]
        fn a_row_that_is_cut_off_is_an_error(reading in reading(), cut in any::<prop::sample::Index>()) {
            let whole = tuple(&reading);
            let cut = 1 + cut.index(whole.len() - 1);
            prop_assert!(transcode(&[header(), whole[..cut].to_vec()]).is_err());
        }

        #[test]
        fn any_bytes_are_rows_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = transcode(&[header(), bytes.clone()]);
            let _ = transcode(&[bytes]);
        }
    }

    /// A good one.
    pub(in crate::daily_load) fn numbered(number: u8) -> Reading {
        Reading {
            id: [number; 16],
            recorded_at: 0,
            grip: "pinch".to_owned(),
            duration_ms: 1,
            battery_pct: 4,
            fault_code: None,
        }
    }

    #[test]
    fn a_block_has_the_rows_since_the_one_before_whose_buffers_it_may_have() {
        let (first, second) = (numbered(1), numbered(2));
        let mut transcoder = Transcoder::new(RUN);
        transcoder
            .frame(&[header(), tuple(&first)].concat())
            .unwrap();
        let (sent, _) = transcoder.block();
        transcoder.reuse(sent);
        transcoder.frame(&tuple(&second)).unwrap();
        let (next, rows) = transcoder.block();
        assert_eq!((rows, bytes(&next)), (1, block(&[second])));
    }

    #[test]
    fn a_negative_duration_is_named_by_its_column() {
        let reading = Reading {
            duration_ms: -1,
            ..numbered(1)
        };
        let outcome = transcode(&[header(), tuple(&reading)]);
        assert_eq!(outcome.unwrap_err(), Malformed::Field("duration_ms"));
    }

    #[test]
    fn an_infinite_time_is_refused() {
        let reading = Reading {
            recorded_at: i64::MAX,
            ..numbered(1)
        };
        let outcome = transcode(&[header(), tuple(&reading)]);
        assert_eq!(outcome.unwrap_err(), Malformed::Field("recorded_at"));
    }

    #[test]
    fn a_stream_without_signature_is_refused() {
        assert_eq!(
            transcode(&[tuple(&numbered(1))]).unwrap_err(),
            Malformed::Signature
        );
    }
}
