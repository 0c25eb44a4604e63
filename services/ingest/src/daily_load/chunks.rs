//! Readings on the way from the source to ClickHouse: reading and transcoding one chunk overlaps
//! with inserting the one before.

use bionicpro_mesh::clickhouse::native::Encoded;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::transcode::Transcoder;
use crate::error::Error;
use crate::store::telemetry::DayReadings;
use crate::store::warehouse::{RunDay, Warehouse};

/// A chunk is sent when this many bytes have been read for it: about 400,000 readings. Each makes a
/// part of the table, and merging small ones costs ClickHouse more than inserting them did; larger
/// ones take more memory.
const CHUNK_BYTES: usize = 48 << 20;

/// Loads all readings of a day and answers how many they were.
pub(super) async fn load(
    readings: &mut DayReadings,
    warehouse: &Warehouse,
    day: RunDay,
) -> Result<u64, Error> {
    let (filling, filled, spent) = Filling::new(day.run.0, CHUNK_BYTES);
    let (read, ()) = tokio::try_join!(
        filling.read(readings.frames()),
        insert(filled, spent, warehouse, day)
    )?;
    Ok(read)
}

/// The side that fills chunks.
struct Filling {
    transcoder: Transcoder,
    /// Bytes that are read for one.
    limit: usize,
    full: mpsc::Sender<Encoded>,
    /// The buffers of chunks that were inserted.
    empty: mpsc::Receiver<Encoded>,
}

impl Filling {
    /// With where they come out, and where they are given back. One is filled while one is inserted:
    /// their two sets of buffers go to and fro, and are all the memory it takes.
    fn new(run: Uuid, limit: usize) -> (Self, mpsc::Receiver<Encoded>, mpsc::Sender<Encoded>) {
        let (full, filled) = mpsc::channel(1);
        let (spent, empty) = mpsc::channel(2);
        // There is room for it.
        let _ = spent.try_send(Encoded::default());
        let filling = Self {
            transcoder: Transcoder::new(run),
            limit,
            full,
            empty,
        };
        (filling, filled, spent)
    }

    /// Reads until the end and answers how many readings that was.
    async fn read(
        mut self,
        mut frames: impl Stream<Item = Result<Bytes, Error>> + Unpin,
    ) -> Result<u64, Error> {
        let (mut read, mut bytes) = (0, 0);
        while let Some(frame) = frames.next().await {
            let frame = frame?;
            self.transcoder.frame(&frame)?;
            bytes += frame.len();
            if bytes >= self.limit {
                bytes = 0;
                read += self.send().await;
            }
        }
        Ok(read + self.send().await)
    }

    /// Hands on what has been read since the last time, and answers how many readings that is.
    async fn send(&mut self) -> u64 {
        let (chunk, rows) = self.transcoder.block();
        if rows == 0 {
            return 0;
        }
        // The other side only goes away by an error, which ends both.
        let _ = self.full.send(chunk).await;
        if let Some(spent) = self.empty.recv().await {
            self.transcoder.reuse(spent);
        }
        rows
    }
}

async fn insert(
    mut filled: mpsc::Receiver<Encoded>,
    spent: mpsc::Sender<Encoded>,
    warehouse: &Warehouse,
    day: RunDay,
) -> Result<(), Error> {
    let mut number = 0;
    while let Some(chunk) = filled.recv().await {
        warehouse.insert_readings(day, number, &chunk).await?;
        number += 1;
        let _ = spent.send(chunk).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use futures::stream;
    use tokio::time::timeout;

    use super::super::transcode::tests::{RUN, Reading, block, bytes, header, numbered, tuple};
    use super::*;

    fn readings() -> Vec<Reading> {
        (1..=5).map(numbered).collect()
    }

    fn frames(readings: &[Reading]) -> impl Stream<Item = Result<Bytes, Error>> + Unpin + use<> {
        let first = Bytes::from(header());
        let rows: Vec<_> = readings.iter().map(|it| Ok(tuple(it).into())).collect();
        stream::iter([Ok(first)].into_iter().chain(rows))
    }

    #[tokio::test]
    async fn every_reading_is_in_one_chunk_and_chunks_are_in_order() {
        let readings = readings();
        let limit = 2 * tuple(&numbered(0)).len();
        let (filling, mut filled, spent) = Filling::new(RUN, limit);
        let take = async {
            let mut taken = Vec::new();
            while let Some(chunk) = filled.recv().await {
                taken.push(bytes(&chunk));
                let _ = spent.send(chunk).await;
            }
            taken
        };
        let (read, taken) = tokio::join!(filling.read(frames(&readings)), take);
        assert_eq!(read.unwrap(), 5);
        let expected: Vec<_> = readings.chunks(2).map(block).collect();
        assert_eq!(taken, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn no_third_chunk_is_filled_while_two_are_not_inserted() {
        let (filling, mut filled, _spent) = Filling::new(RUN, 1);
        let reading = tokio::spawn(filling.read(frames(&readings())));
        let limit = Duration::from_secs(60);
        for _ in 0..2 {
            timeout(limit, filled.recv()).await.unwrap().unwrap();
        }
        assert!(timeout(limit, filled.recv()).await.is_err());
        reading.abort();
    }
}
