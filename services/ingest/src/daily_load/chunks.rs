//! Readings on the way from the source to ClickHouse: reading and transcoding one chunk overlaps
//! with inserting the one before.

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;

use super::transcode::Transcoder;
use crate::error::Error;
use crate::store::telemetry::DayReadings;
use crate::store::warehouse::{RunDay, Warehouse};

/// Rows are sent when there are this many bytes of them: about 100,000 readings. Larger chunks
/// overlap worse and take more memory, smaller ones make ClickHouse merge more.
const CHUNK_BYTES: usize = 10 << 20;
/// Room for the row that fills a chunk.
const CHUNK_CAPACITY: usize = CHUNK_BYTES + (64 << 10);

/// Loads all readings of a day and answers how many they were.
pub(super) async fn load(
    readings: &mut DayReadings,
    warehouse: &Warehouse,
    day: RunDay,
) -> Result<u64, Error> {
    // One chunk is filled, one waits, one is being inserted: that is all the memory it takes.
    let (sender, receiver) = mpsc::channel(1);
    let (read, ()) = tokio::try_join!(
        read(readings, day, sender),
        insert(receiver, warehouse, day)
    )?;
    Ok(read)
}

async fn read(
    readings: &mut DayReadings,
    day: RunDay,
    chunks: mpsc::Sender<Bytes>,
) -> Result<u64, Error> {
    let mut transcoder = Transcoder::new(day.run.0);
    let mut rows = Vec::with_capacity(CHUNK_CAPACITY);
    let mut read = 0;
    let mut frames = readings.frames();
    while let Some(frame) = frames.next().await {
        read += transcoder.frame(&frame?, &mut rows)?;
        if rows.len() >= CHUNK_BYTES {
            let full = std::mem::replace(&mut rows, Vec::with_capacity(CHUNK_CAPACITY));
            // The receiver only goes away by an error, which ends both.
            let _ = chunks.send(full.into()).await;
        }
    }
    if !rows.is_empty() {
        let _ = chunks.send(rows.into()).await;
    }
    Ok(read)
}

async fn insert(
    mut chunks: mpsc::Receiver<Bytes>,
    warehouse: &Warehouse,
    day: RunDay,
) -> Result<(), Error> {
    let mut number = 0;
    while let Some(rows) = chunks.recv().await {
        warehouse.insert_readings(day, number, rows).await?;
        number += 1;
    }
    Ok(())
}
