//! Turns readings as Postgres copies them out (binary COPY) into rows as ClickHouse takes them
//! (RowBinary), byte by byte and without an allocation per row. Not here: who reads and who writes.
//!
//! Formats: PostgreSQL "COPY, Binary Format"; ClickHouse "RowBinary".

use uuid::Uuid;

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
    run_id: [u8; 16],
    began: bool,
}

impl Transcoder {
    /// Rows made by it carry `run_id` behind the columns of [`COLUMNS`].
    pub(crate) fn new(run_id: Uuid) -> Self {
        Self {
            run_id: clickhouse_uuid(run_id.as_bytes()),
            began: false,
        }
    }

    /// Appends the rows of a frame to `rows` and answers how many they were. Frames are those of
    /// the protocol's CopyData: Postgres never splits a row over two.
    pub(crate) fn frame(&mut self, frame: &[u8], rows: &mut Vec<u8>) -> Result<u64, Malformed> {
        let mut source = Source(frame);
        if !self.began {
            source.header()?;
            self.began = true;
        }
        let mut count = 0;
        while !source.0.is_empty() {
            match source.i16()? {
                FIELDS => self.row(&mut source, rows)?,
                // The trailer: nothing follows it.
                -1 => break,
                _ => return Err(Malformed::Columns),
            }
            count += 1;
        }
        Ok(count)
    }

    fn row(&self, source: &mut Source<'_>, rows: &mut Vec<u8>) -> Result<(), Malformed> {
        rows.extend(clickhouse_uuid(source.fixed("id")?));
        rows.extend(clickhouse_uuid(source.fixed("prosthesis_id")?));
        rows.extend(source.micros("recorded_at")?);
        rows.extend(source.micros("received_at")?);
        text(rows, source.required("grip")?);
        rows.extend(source.natural("duration_ms")?);
        rows.extend(source.natural("response_ms")?);
        rows.extend(source.natural("force_mn")?);
        rows.push(source.percent("battery_pct")?);
        rows.push(source.percent("emg_quality_pct")?);
        text(rows, source.field()?.unwrap_or_default());
        rows.extend(self.run_id);
        Ok(())
    }
}

/// ClickHouse keeps a UUID as two little-endian halves.
fn clickhouse_uuid(bytes: &[u8; 16]) -> [u8; 16] {
    let mut halves = *bytes;
    halves[..8].reverse();
    halves[8..].reverse();
    halves
}

/// A string: its length as LEB128, then its bytes.
fn text(rows: &mut Vec<u8>, text: &[u8]) {
    let mut length = text.len();
    while length >= 0x80 {
        rows.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    rows.push(length.to_le_bytes()[0]);
    rows.extend_from_slice(text);
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

    fn micros(&mut self, column: &'static str) -> Result<[u8; 8], Malformed> {
        i64::from_be_bytes(*self.fixed(column)?)
            // Infinity is the largest value: it does not fit.
            .checked_add(POSTGRES_EPOCH_MICROS)
            .map(i64::to_le_bytes)
            .ok_or(Malformed::Field(column))
    }

    fn natural(&mut self, column: &'static str) -> Result<[u8; 4], Malformed> {
        u32::try_from(i32::from_be_bytes(*self.fixed(column)?))
            .map(u32::to_le_bytes)
            .map_err(|_| Malformed::Field(column))
    }

    fn percent(&mut self, column: &'static str) -> Result<u8, Malformed> {
        u8::try_from(i16::from_be_bytes(*self.fixed(column)?)).map_err(|_| Malformed::Field(column))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    struct Reading {
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
    fn tuple(reading: &Reading) -> Vec<u8> {
        let mut frame = FIELDS.to_be_bytes().to_vec();
        field(&mut frame, &reading.id);
        field(&mut frame, &[7; 16]);
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

    fn header() -> Vec<u8> {
        [SIGNATURE, &[0; 8]].concat()
    }

    /// As ClickHouse reads it: (id, recorded_at, grip, duration_ms, battery_pct, fault_code, run_id).
    fn decode(mut row: &[u8]) -> (Reading, [u8; 16]) {
        fn take<'a>(row: &mut &'a [u8], length: usize) -> &'a [u8] {
            let (taken, rest) = row.split_at(length);
            *row = rest;
            taken
        }
        fn uuid(row: &mut &[u8]) -> [u8; 16] {
            let high = u64::from_le_bytes(take(row, 8).try_into().unwrap());
            let low = u64::from_le_bytes(take(row, 8).try_into().unwrap());
            ((u128::from(high) << 64) | u128::from(low)).to_be_bytes()
        }
        fn string(row: &mut &[u8]) -> String {
            let (mut length, mut shift) = (0, 0);
            loop {
                let byte = take(row, 1)[0];
                length |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    return String::from_utf8(take(row, length).to_vec()).unwrap();
                }
            }
        }
        let id = uuid(&mut row);
        assert_eq!(uuid(&mut row), [7; 16]);
        let recorded_at =
            i64::from_le_bytes(take(&mut row, 8).try_into().unwrap()) - POSTGRES_EPOCH_MICROS;
        take(&mut row, 8);
        let grip = string(&mut row);
        let duration_ms = i32::from_le_bytes(take(&mut row, 4).try_into().unwrap());
        assert_eq!(take(&mut row, 8), [2, 0, 0, 0, 3, 0, 0, 0]);
        let battery_pct = i16::from(take(&mut row, 1)[0]);
        assert_eq!(take(&mut row, 1), [5]);
        let fault_code = Some(string(&mut row)).filter(|code| !code.is_empty());
        let run_id = uuid(&mut row);
        assert!(row.is_empty());
        let reading = Reading {
            id,
            recorded_at,
            grip,
            duration_ms,
            battery_pct,
            fault_code,
        };
        (reading, run_id)
    }

    fn transcode(frames: &[Vec<u8>]) -> Result<(u64, Vec<u8>), Malformed> {
        let mut transcoder = Transcoder::new(Uuid::from_bytes([9; 16]));
        let mut rows = Vec::new();
        let mut count = 0;
        for frame in frames {
            count += transcoder.frame(frame, &mut rows)?;
        }
        Ok((count, rows))
    }

    proptest! {
        #[test]
        fn a_reading_comes_out_as_it_went_in(reading in reading()) {
            let frames = [[header(), tuple(&reading)].concat(), (-1i16).to_be_bytes().to_vec()];
            let (count, rows) = transcode(&frames).unwrap();
            let (decoded, run_id) = decode(&rows);
            prop_assert_eq!(count, 1);
            prop_assert_eq!(format!("{decoded:?}"), format!("{reading:?}"));
            prop_assert_eq!(run_id, [9; 16]);
        }

        #[test]
        fn rows_are_counted_however_they_are_framed(readings in proptest::collection::vec(reading(), 0..20)) {
            let tuples: Vec<_> = readings.iter().map(tuple).collect();
            let together = [header(), tuples.concat(), (-1i16).to_be_bytes().to_vec()].concat();
            let apart: Vec<_> = [vec![header()], tuples].concat();
            let (count, rows) = transcode(&[together]).unwrap();
            prop_assert_eq!(count, readings.len() as u64);
            prop_assert_eq!((count, rows), transcode(&apart).unwrap());
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

    fn sample() -> Reading {
        Reading {
            id: [1; 16],
            recorded_at: 0,
            grip: "pinch".to_owned(),
            duration_ms: 1,
            battery_pct: 4,
            fault_code: None,
        }
    }

    #[test]
    fn a_negative_duration_is_named_by_its_column() {
        let reading = Reading {
            duration_ms: -1,
            ..sample()
        };
        let outcome = transcode(&[header(), tuple(&reading)]);
        assert_eq!(outcome.unwrap_err(), Malformed::Field("duration_ms"));
    }

    #[test]
    fn an_infinite_time_is_refused() {
        let reading = Reading {
            recorded_at: i64::MAX,
            ..sample()
        };
        let outcome = transcode(&[header(), tuple(&reading)]);
        assert_eq!(outcome.unwrap_err(), Malformed::Field("recorded_at"));
    }

    #[test]
    fn a_stream_without_signature_is_refused() {
        assert_eq!(
            transcode(&[tuple(&sample())]).unwrap_err(),
            Malformed::Signature
        );
    }
}
