//! The thread that reads: polls, parses into the batch, and hands it over to be inserted. librdkafka
//! wants to be polled, so nothing here waits for long.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use crate::{
    batch::{Batch, LIMITS, Next, Received, next},
    spare::Spare,
    store::kafka::{Assignment, Consumer},
};

/// How long a poll of an empty batch waits: also the longest until a stop is noticed.
const IDLE_WAIT: Duration = Duration::from_millis(100);
/// How long a full batch waits before fetching is paused: pausing throws away what is fetched.
const BEFORE_PAUSE: Duration = Duration::from_secs(1);

/// A batch and the assignment of partitions that all of it was read under.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) batch: Batch,
    pub(crate) assignment: Assignment,
}

impl Reading {
    /// Takes a message in that was read under `assignment`.
    fn push(&mut self, assignment: Assignment, received: Received<'_>) {
        self.follow(assignment);
        self.batch.push(received);
    }

    /// Forgets what was read under another assignment: whoever has its partitions now reads from
    /// the last commit, and so does this consumer.
    fn follow(&mut self, assignment: Assignment) {
        if self.assignment != assignment {
            self.batch.clear();
            self.assignment = assignment;
        }
    }

    /// Takes the batch out and leaves `empty` in its place.
    fn hand_over(&mut self, empty: Batch) -> Self {
        Self {
            batch: std::mem::replace(&mut self.batch, empty),
            assignment: self.assignment,
        }
    }
}

/// Reads until `stop`, beginning with an empty `batch`. Full ones go to `full`; `spare` is where the
/// next one comes from.
pub(crate) fn run(
    batch: Batch,
    consumer: &Consumer,
    full: &mpsc::Sender<Reading>,
    spare: &Spare,
    stop: &AtomicBool,
) {
    let assignment = consumer.assignment();
    let mut reading = Reading { batch, assignment };
    // A pause ends with its assignment.
    let (mut caught_up, mut paused_under) = (true, None);
    while !stop.load(Ordering::Relaxed) {
        match next(
            reading.batch.fill(Instant::now()),
            &LIMITS,
            caught_up,
            spare.is_there(),
            IDLE_WAIT,
        ) {
            Next::Poll(wait) => {
                caught_up = !consumer.poll(wait, |under, received| reading.push(under, received));
            }
            Next::Insert => {
                let Some(empty) = spare.take() else { continue };
                if full.blocking_send(reading.hand_over(empty)).is_err() {
                    return;
                }
                if paused_under.take() == Some(reading.assignment) {
                    consumer.resume();
                }
            }
            Next::Hold if paused_under == Some(reading.assignment) => {
                // Nothing is fetched; this only serves the group.
                consumer.poll(IDLE_WAIT, |under, received| reading.push(under, received));
            }
            Next::Hold => {
                if !spare.wait(BEFORE_PAUSE) {
                    tracing::warn!("inserts are slow: fetching pauses");
                    consumer.pause();
                    paused_under = Some(reading.assignment);
                }
            }
        }
        reading.follow(consumer.assignment());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::feed::Feed;

    fn received(offset: i64) -> Received<'static> {
        Received {
            topic: "crm.public.customers",
            partition: 0,
            offset,
            key: None,
            payload: None,
            traceparent: None,
            old_key: None,
        }
    }

    #[test]
    fn a_new_assignment_forgets_what_was_read_under_the_old_one_and_nothing_else() {
        let feed = Arc::new(Feed::new("crm".into(), "group".into()));
        let [old, new] = [Assignment::numbered(1), Assignment::numbered(2)];
        let mut reading = Reading {
            batch: Batch::new(&feed),
            assignment: old,
        };
        reading.push(old, received(5));
        // The assignment changes within the call that brings the message.
        reading.push(new, received(3));
        reading.follow(new);
        let handed_over = reading.hand_over(Batch::new(&feed));
        assert_eq!(handed_over.assignment, new);
        let offsets = handed_over
            .batch
            .ranges
            .iter()
            .map(|it| (it.first, it.last));
        assert_eq!(offsets.collect::<Vec<_>>(), [(3, 3)]);
    }
}
