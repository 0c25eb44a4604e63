//! The readings of a round, made once: as the calls bring them and as the log has them.

use bionicpro_proto::ingest::v1::{Reading, RecordReadingsRequest, RecordedReading};
use bionicpro_tests::devices;
use bytes::Bytes;
use prost::Message;
use uuid::Uuid;

/// Readings of a message: about 150 KB of the 512 that it may have.
const MESSAGE: usize = 1_000;
/// Readings of one prosthesis in a message.
const EACH: usize = 50;
const PROSTHESES: usize = 1_000;
/// How far back they were recorded, in seconds.
const AGE: i64 = 3_600;

/// A record of the log.
pub(super) struct Record {
    pub(super) key: Bytes,
    pub(super) payload: Vec<u8>,
}

/// Readings.
pub(super) struct Readings {
    /// Encoded requests of both methods, which have the same fields.
    pub(super) messages: Vec<Bytes>,
    pub(super) records: Vec<Record>,
}

impl Readings {
    /// Makes at least so many, in whole messages.
    pub(super) fn make(least: usize) -> anyhow::Result<Self> {
        let now = devices::now();
        let prostheses: Vec<_> = (0..PROSTHESES)
            .map(|_| Uuid::now_v7().to_string())
            .collect();
        let mut prostheses = prostheses.iter().cycle();
        let (mut messages, mut records) = (Vec::new(), Vec::new());
        while records.len() < least {
            let of_one = |prosthesis| devices::readings(prosthesis, now - AGE, EACH);
            let readings: Vec<_> = prostheses
                .by_ref()
                .take(MESSAGE / EACH)
                .flat_map(|prosthesis| of_one(prosthesis))
                .collect();
            for reading in &readings {
                records.push(record(reading, now)?);
            }
            let message = RecordReadingsRequest { readings };
            messages.push(message.encode_to_vec().into());
        }
        Ok(Self { messages, records })
    }
}

/// What ingest makes of a reading.
fn record(reading: &Reading, received: i64) -> anyhow::Result<Record> {
    let bytes =
        |id: &str| Ok::<_, uuid::Error>(Bytes::copy_from_slice(id.parse::<Uuid>()?.as_bytes()));
    let recorded = reading.recorded_at.unwrap_or_default();
    let key = bytes(&reading.prosthesis_id)?;
    let recorded = RecordedReading {
        id: bytes(&reading.id)?,
        prosthesis_id: key.clone(),
        recorded_us: recorded.seconds * 1_000_000,
        received_us: received * 1_000_000 + 1,
        grip: reading.grip.clone(),
        duration_ms: reading.duration_ms,
        response_ms: reading.response_ms,
        force_mn: millinewtons(reading.force_newtons),
        battery_pct: reading.battery_pct,
        emg_quality_pct: reading.emg_quality_pct,
        fault_code: reading.fault_code.clone(),
    };
    let payload = recorded.encode_to_vec();
    Ok(Record { key, payload })
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the readings are made here"
)]
fn millinewtons(newtons: f64) -> u32 {
    (newtons * 1_000.0).round() as u32
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn messages_and_records_are_the_same_readings() {
        let readings = Readings::make(MESSAGE + 1).unwrap();
        assert_eq!(readings.messages.len(), 2);
        let messages = readings.messages.iter();
        let sent: Vec<_> = messages
            .flat_map(|bytes| {
                RecordReadingsRequest::decode(bytes.clone())
                    .unwrap()
                    .readings
            })
            .map(|reading| reading.id.parse::<Uuid>().unwrap())
            .collect();
        let records = readings.records.iter();
        let recorded: Vec<_> = records
            .map(|it| RecordedReading::decode(it.payload.as_slice()).unwrap().id)
            .map(|id| Uuid::from_slice(&id).unwrap())
            .collect();
        assert_eq!(sent, recorded);
    }
}
