//! The watermark: changes that the CRM acknowledged before this time are in ClickHouse. This is the
//! rule alone; what it is told is read by [`crate::store`].
//!
//! What the claim rests on:
//!
//! 1. Connect commits the position of a source after Kafka has acknowledged every record before it
//!    (a heartbeat record could overtake the records of a busy topic; a committed position cannot).
//! 2. That position names a transaction and the time at which Postgres began to commit it. Whatever
//!    was acknowledged before that time stands before it in the log, and Debezium reads the log in
//!    the order of commits. So every such change is in Kafka by then.
//! 3. Offsets of tables are read after the position, so they are behind those changes. A partition's
//!    offset is committed only after its changes are in ClickHouse.
//!
//! So when the committed offsets have passed the ends that were seen after a position, its time is
//! a watermark. In an idle CRM the connector's heartbeat writes a message into the log each second,
//! and so the position moves on.

use std::collections::BTreeMap;

/// A topic and a partition's number.
pub(crate) type PartitionId = (String, i32);

/// The last transaction of the CRM that is completely in Kafka, as Connect has committed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourcePosition {
    /// When Postgres committed it, in microseconds since 1970.
    pub(crate) committed_us: i64,
    /// Where the last commit before it ends in the CRM's log.
    pub(crate) lsn: u64,
}

/// How far a partition is and how far it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offsets {
    /// The next message to apply: all before it are in ClickHouse.
    pub(crate) applied: i64,
    /// Behind the last message.
    pub(crate) end: i64,
}

/// Finds the watermark from what is seen of source and partitions.
#[derive(Debug, Default)]
pub(crate) struct Watermark {
    reached: Option<SourcePosition>,
    /// A position whose changes are still being applied, and the offsets that prove that they are.
    pending: Option<(SourcePosition, BTreeMap<PartitionId, i64>)>,
}

impl Watermark {
    /// Takes in the offsets of all partitions, read after `source` was. Answers the watermark if it
    /// has moved.
    pub(crate) fn observe(
        &mut self,
        source: SourcePosition,
        offsets: &BTreeMap<PartitionId, Offsets>,
    ) -> Option<SourcePosition> {
        let before = self.reached;
        self.settle(offsets);
        // A position that is pending is left alone: a moving goal would never be reached.
        if self.pending.is_none() && self.reached.is_none_or(|reached| source > reached) {
            let ends = offsets
                .iter()
                .map(|(id, offsets)| (id.clone(), offsets.end))
                .collect();
            self.pending = Some((source, ends));
            self.settle(offsets);
        }
        self.reached.filter(|_| self.reached != before)
    }

    fn settle(&mut self, offsets: &BTreeMap<PartitionId, Offsets>) {
        let applied = |id, end| {
            offsets
                .get(id)
                .is_some_and(|offsets| offsets.applied >= end)
        };
        self.reached = match self.pending.take() {
            Some((source, ends)) if ends.iter().all(|(id, end)| applied(id, *end)) => Some(source),
            pending => {
                self.pending = pending;
                return;
            }
        };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn at(committed_us: i64) -> SourcePosition {
        SourcePosition {
            committed_us,
            lsn: 0,
        }
    }

    fn offsets(partitions: &[(i64, i64)]) -> BTreeMap<PartitionId, Offsets> {
        (0..)
            .zip(partitions)
            .map(|(number, (applied, end))| {
                (
                    ("t".to_owned(), number),
                    Offsets {
                        applied: *applied,
                        end: *end,
                    },
                )
            })
            .collect()
    }

    #[test]
    fn an_idle_crm_moves_the_watermark_with_the_source() {
        let mut watermark = Watermark::default();
        assert_eq!(watermark.observe(at(1), &offsets(&[(5, 5)])), Some(at(1)));
        assert_eq!(watermark.observe(at(1), &offsets(&[(5, 5)])), None);
        assert_eq!(watermark.observe(at(2), &offsets(&[(5, 5)])), Some(at(2)));
    }

    #[test]
    fn a_change_that_is_not_applied_holds_the_watermark() {
        let mut watermark = Watermark::default();
        assert_eq!(watermark.observe(at(1), &offsets(&[(5, 5), (2, 3)])), None);
        assert_eq!(watermark.observe(at(2), &offsets(&[(5, 9), (2, 3)])), None);
        assert_eq!(
            watermark.observe(at(3), &offsets(&[(5, 9), (3, 3)])),
            Some(at(1))
        );
        assert_eq!(
            watermark.observe(at(3), &offsets(&[(9, 9), (3, 3)])),
            Some(at(3))
        );
    }

    #[test]
    fn a_steady_stream_does_not_hold_the_watermark() {
        let mut watermark = Watermark::default();
        assert_eq!(watermark.observe(at(1), &offsets(&[(0, 10)])), None);
        assert_eq!(watermark.observe(at(2), &offsets(&[(10, 20)])), Some(at(1)));
        assert_eq!(watermark.observe(at(3), &offsets(&[(20, 30)])), Some(at(2)));
    }

    #[test]
    fn an_older_position_never_moves_it_back() {
        let mut watermark = Watermark::default();
        assert_eq!(watermark.observe(at(5), &offsets(&[])), Some(at(5)));
        assert_eq!(watermark.observe(at(4), &offsets(&[])), None);
    }

    #[test]
    fn a_partition_that_vanishes_holds_it() {
        let mut watermark = Watermark::default();
        assert_eq!(watermark.observe(at(1), &offsets(&[(0, 1), (0, 1)])), None);
        assert_eq!(watermark.observe(at(2), &offsets(&[(1, 1)])), None);
    }

    proptest! {
        /// The CRM commits at times 1, 2, 3 …, each a record of some partition; Kafka has the first
        /// `sent` of them, the consumer has applied some part of each partition.
        #[test]
        fn whatever_happened_before_the_watermark_is_applied(
            partitions in proptest::collection::vec(0_usize..3, 1..60),
            steps in proptest::collection::vec((0_usize..20, 0_i64..8, 0_i64..8, 0_i64..8), 1..40),
        ) {
            let mut watermark = Watermark::default();
            let (mut sent, mut applied) = (0, [0_i64; 3]);
            let end_of = |partition, sent: usize| {
                i64::try_from(partitions[..sent].iter().filter(|of| **of == partition).count()).unwrap()
            };
            for (more, a, b, c) in steps {
                // The position is read first; more records arrive before the offsets are read.
                let source = at(i64::try_from(sent).unwrap());
                sent = (sent + more).min(partitions.len());
                for (partition, step) in [a, b, c].into_iter().enumerate() {
                    applied[partition] = (applied[partition] + step).min(end_of(partition, sent));
                }
                let seen = [0, 1, 2].map(|partition| (applied[partition], end_of(partition, sent)));
                if let Some(reached) = watermark.observe(source, &offsets(&seen)) {
                    let covered = usize::try_from(reached.committed_us).unwrap();
                    for (partition, applied) in applied.into_iter().enumerate() {
                        prop_assert!(applied >= end_of(partition, covered));
                    }
                }
            }
        }
    }
}
