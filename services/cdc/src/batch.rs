//! What is collected between two inserts: rows, and what cannot be one yet or ever. No I/O.

use std::{sync::Arc, time::Instant};

use bionicpro_mesh::kafka::{self, Fill, Kept, Ledger, Received};

use crate::{
    block::{Block, Outcome},
    envelope,
    feed::Feed,
    rejection::Rejection,
    tables::{TABLES, Table},
};

/// The header in which Debezium says which key a row had before its key was changed.
const OLD_KEY: &str = "__debezium.oldkey";

/// A change that lacks values which were too large to be sent and did not change.
#[derive(Clone, Debug)]
pub(crate) struct Incomplete {
    pub(crate) kept: Kept,
    /// The key under which the row with these values is stored, where that was changed too.
    pub(crate) old_key: Option<Vec<u8>>,
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
    pub(crate) ledger: Ledger,
    /// A row in it was moved to another key, and its values are known once the other half of that
    /// change is there, which comes by another partition.
    half_moved: bool,
}

impl Batch {
    pub(crate) fn new(feed: &Arc<Feed>) -> Self {
        Self {
            feed: Arc::clone(feed),
            blocks: TABLES.into_iter().map(Block::new).collect(),
            incomplete: Vec::new(),
            dead: Vec::new(),
            ledger: Ledger::default(),
            half_moved: false,
        }
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
        if !message.snapshot {
            self.ledger.trace(&self.feed.group, &received);
        }
        Ok((message.lsn, outcome))
    }
}

impl kafka::Batch for Batch {
    /// It becomes a row, an incomplete change or a dead letter. A tombstone only moves the offset.
    fn push(&mut self, received: Received<'_>) {
        let outcome = received
            .payload
            .map(|payload| self.write(received, payload));
        let lsn = match outcome {
            None => None,
            Some(Ok((lsn, Outcome::Written))) => Some(lsn),
            Some(Ok((lsn, Outcome::NeedsStored))) => {
                self.half_moved |= old_key(&received).is_some();
                self.incomplete.push(Incomplete {
                    kept: received.into(),
                    old_key: old_key(&received).map(<[u8]>::to_vec),
                });
                Some(lsn)
            }
            Some(Err(rejection)) => {
                self.dead.push((received.into(), rejection));
                None
            }
        };
        self.ledger.enter(&received, lsn);
    }

    fn fill(&self, now: Instant) -> Fill {
        self.ledger.fill(now, self.half_moved)
    }

    fn clear(&mut self) {
        self.blocks.iter_mut().for_each(Block::clear);
        self.incomplete.clear();
        self.dead.clear();
        self.ledger.clear();
        self.half_moved = false;
    }
}

/// The key that the row had before, where the change is one of its key.
fn old_key<'a>(received: &Received<'a>) -> Option<&'a [u8]> {
    received.headers.get(OLD_KEY)
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
