//! What is collected between two inserts, and when it is time for one. No I/O.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bionicpro_mesh::telemetry::messaging;
use tracing::Span;

use crate::{
    block::{Block, Outcome},
    envelope,
    feed::Feed,
    rejection::Rejection,
    tables::{TABLES, Table},
};

/// How large a batch grows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Messages.
    pub(crate) messages: usize,
    /// Bytes of the messages.
    pub(crate) bytes: usize,
    /// How long the first message waits for company when no more come.
    pub(crate) linger: Duration,
    /// How long it waits when they keep coming.
    pub(crate) longest: Duration,
}

/// Large blocks are what ClickHouse is good at; two batches of this size fit into memory.
pub(crate) const LIMITS: Limits = Limits {
    messages: 100_000,
    bytes: 64 << 20,
    linger: Duration::from_millis(50),
    longest: Duration::from_millis(500),
};

/// As many spans as one span has links for (OpenTelemetry's limit); those of further messages end
/// when they are in the batch.
const MAXIMUM_SPANS: usize = 128;

/// What to do next with the batch that is being filled.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Take more messages, waiting for them at most so long.
    Poll(Duration),
    /// Insert it.
    Insert,
    /// It is full, and the one before it is still being inserted: take no more.
    Hold,
}

/// How full a batch is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fill {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
    /// Since its first message.
    pub(crate) age: Duration,
    /// A row in it was moved to another key, and its values are known once the other half of that
    /// change is there, which comes by another partition.
    pub(crate) half_moved: bool,
}

/// Decides what to do next. `caught_up`: the last poll found no message; `free`: no other batch
/// is being inserted; `idle_wait`: how long to wait for a first message.
pub(crate) fn next(
    fill: Fill,
    limits: &Limits,
    caught_up: bool,
    free: bool,
    idle_wait: Duration,
) -> Next {
    if fill.messages == 0 {
        return Next::Poll(idle_wait);
    }
    let full = fill.messages >= limits.messages || fill.bytes >= limits.bytes;
    let linger = if fill.half_moved {
        limits.longest
    } else {
        limits.linger
    };
    let waited = fill.age >= limits.longest || (caught_up && fill.age >= linger);
    match (full, waited, free) {
        (true, _, false) => Next::Hold,
        (true, _, true) | (false, true, true) => Next::Insert,
        (false, true, false) => Next::Poll(limits.linger),
        (false, false, _) => Next::Poll(linger.saturating_sub(fill.age)),
    }
}

/// A message as Kafka has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Received<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<&'a [u8]>,
    /// None for a tombstone.
    pub(crate) payload: Option<&'a [u8]>,
    /// The trace context that the change came with.
    pub(crate) traceparent: Option<&'a str>,
    /// The key that the row had before, where the change is one of its key.
    pub(crate) old_key: Option<&'a [u8]>,
}

/// A message that is kept as it came.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// A change that lacks values which were too large to be sent and did not change.
#[derive(Clone, Debug)]
pub(crate) struct Incomplete {
    pub(crate) kept: Kept,
    /// The key under which the row with these values is stored, where that was changed too.
    pub(crate) old_key: Option<Vec<u8>>,
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

/// The messages that a batch has of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// The position in the CRM's log of the last change; none before the first one.
    pub(crate) lsn: Option<u64>,
}

/// Messages that are applied together.
#[derive(Debug)]
pub(crate) struct Batch {
    feed: Arc<Feed>,
    /// One per table, in the order of [`TABLES`].
    pub(crate) blocks: Vec<Block>,
    /// Changes that need values of the stored row, in the order of their partitions.
    pub(crate) incomplete: Vec<Incomplete>,
    /// Messages that cannot be applied, and why.
    pub(crate) dead: Vec<(Kept, Rejection)>,
    /// What it covers.
    pub(crate) ranges: Vec<Range>,
    /// The spans of the messages that came with a trace; they end when the batch is applied.
    pub(crate) spans: Vec<Span>,
    messages: usize,
    bytes: usize,
    half_moved: bool,
    started: Option<Instant>,
}

impl Batch {
    pub(crate) fn new(feed: &Arc<Feed>) -> Self {
        Self {
            feed: Arc::clone(feed),
            blocks: TABLES.into_iter().map(Block::new).collect(),
            incomplete: Vec::new(),
            dead: Vec::new(),
            ranges: Vec::new(),
            spans: Vec::new(),
            messages: 0,
            bytes: 0,
            half_moved: false,
            started: None,
        }
    }

    /// Takes a message in. Whatever is wrong with it, it has its place in the batch afterwards: as
    /// a row, as an incomplete change or as a dead letter. A tombstone only moves the offset.
    pub(crate) fn push(&mut self, received: Received<'_>) {
        self.messages += 1;
        self.bytes += received.payload.map_or(0, <[u8]>::len);
        self.started.get_or_insert_with(Instant::now);
        let outcome = received
            .payload
            .map(|payload| self.write(received, payload));
        let lsn = match outcome {
            None => None,
            Some(Ok((lsn, Outcome::Written))) => Some(lsn),
            Some(Ok((lsn, Outcome::NeedsStored))) => {
                self.half_moved |= received.old_key.is_some();
                self.incomplete.push(Incomplete {
                    kept: received.into(),
                    old_key: received.old_key.map(<[u8]>::to_vec),
                });
                Some(lsn)
            }
            Some(Err(rejection)) => {
                self.dead.push((received.into(), rejection));
                None
            }
        };
        self.cover(received, lsn);
    }

    fn write(
        &mut self,
        received: Received<'_>,
        payload: &[u8],
    ) -> Result<(u64, Outcome), Rejection> {
        let index = self.feed.index(received.topic);
        let block = &mut self.blocks[index.ok_or(Rejection::UnknownTable)?];
        let message = parse_row_of(block.table(), payload)?;
        let version = version(message.lsn, received.offset);
        let outcome = block.push(message.change, version, None)?;
        // A snapshot reads rows of traces that ended long ago.
        if let Some(traceparent) = received.traceparent.filter(|_| !message.snapshot) {
            let Received {
                topic,
                partition,
                offset,
                ..
            } = received;
            let span = messaging::process(&self.feed.group, topic, partition, offset, traceparent);
            if self.spans.len() < MAXIMUM_SPANS {
                self.spans.push(span);
            }
        }
        Ok((message.lsn, outcome))
    }

    fn cover(&mut self, received: Received<'_>, lsn: Option<u64>) {
        let known = self
            .ranges
            .iter_mut()
            .find(|range| range.partition == received.partition && range.topic == received.topic);
        match known {
            Some(range) => {
                range.last = received.offset;
                range.lsn = lsn.or(range.lsn);
            }
            None => self.ranges.push(Range {
                topic: received.topic.to_owned(),
                partition: received.partition,
                first: received.offset,
                last: received.offset,
                lsn,
            }),
        }
    }

    /// How full it is at `now`.
    pub(crate) fn fill(&self, now: Instant) -> Fill {
        let age = self
            .started
            .map_or(Duration::ZERO, |started| now.duration_since(started));
        Fill {
            messages: self.messages,
            bytes: self.bytes,
            age,
            half_moved: self.half_moved,
        }
    }

    /// Forgets everything but its buffers.
    pub(crate) fn clear(&mut self) {
        self.blocks.iter_mut().for_each(Block::clear);
        self.incomplete.clear();
        self.dead.clear();
        self.ranges.clear();
        self.spans.clear();
        self.messages = 0;
        self.bytes = 0;
        self.half_moved = false;
        self.started = None;
    }
}

/// Reads a message that must be about a row of `table`.
///
/// # Errors
/// Why it cannot be applied.
pub(crate) fn parse_row_of<'a>(
    table: &Table,
    payload: &'a [u8],
) -> Result<envelope::Message<'a>, Rejection> {
    let message = envelope::parse(payload)?;
    if message.table == table.name {
        Ok(message)
    } else {
        Err(Rejection::UnknownTable)
    }
}

/// The version of a row: of two versions of a key the higher one holds.
///
/// The offset decides between changes of one position (a snapshot's rows, or a key that is deleted
/// and made by one statement). A key always lands in the same partition, so both parts rise in the
/// order in which its changes happened; see [`envelope::parse`] for the position.
pub(crate) fn version(lsn: u64, offset: i64) -> u128 {
    u128::from(lsn) << 64 | u128::from(offset.cast_unsigned())
}

/// The position in the CRM's log of a [`version`].
pub(crate) fn lsn_of(version: u128) -> u64 {
    // The upper half fits.
    u64::try_from(version >> 64).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
