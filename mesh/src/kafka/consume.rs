//! The thread that reads: polls, parses into the batch, and hands it over to be inserted. librdkafka
//! wants to be polled, so nothing here waits for long.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use super::{
    Assignment, Batch, Consumer, Limits, Received,
    batch::{Next, next},
    spare::Spare,
};

/// How long a poll of an empty batch waits. Until a stop is noticed it may be as long as a batch
/// waits for company.
const IDLE_WAIT: Duration = Duration::from_millis(100);
/// How long a full batch waits before fetching is paused: pausing throws away what is fetched.
const BEFORE_PAUSE: Duration = Duration::from_secs(1);

/// A batch and the assignment of partitions that all of it was read under.
#[derive(Debug)]
pub(super) struct Collected<B> {
    pub(super) batch: B,
    pub(super) assignment: Assignment,
}

impl<B: Batch> Collected<B> {
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
    fn hand_over(&mut self, empty: B) -> Self {
        Self {
            batch: std::mem::replace(&mut self.batch, empty),
            assignment: self.assignment,
        }
    }
}

/// Reads until `stop`, beginning with an empty `batch`. Full ones go to `full`; `spare` is where the
/// next one comes from.
pub(super) fn run<B: Batch>(
    batch: B,
    limits: &Limits,
    consumer: &Consumer<B>,
    full: &mpsc::Sender<Collected<B>>,
    spare: &Spare<B>,
    stop: &AtomicBool,
) {
    let assignment = consumer.assignment();
    let mut collected = Collected { batch, assignment };
    // A pause ends with its assignment.
    let (mut caught_up, mut paused_under) = (true, None);
    while !stop.load(Ordering::Relaxed) {
        match next(
            collected.batch.fill(Instant::now()),
            limits,
            caught_up,
            spare.is_there(),
            IDLE_WAIT,
        ) {
            Next::Poll(wait) => {
                caught_up = !consumer.poll(wait, |under, received| collected.push(under, received));
            }
            Next::Insert => {
                let Some(empty) = spare.take() else { continue };
                if full.blocking_send(collected.hand_over(empty)).is_err() {
                    return;
                }
                if paused_under.take() == Some(collected.assignment) {
                    consumer.resume();
                }
            }
            Next::Hold if paused_under == Some(collected.assignment) => {
                // Nothing is fetched; this only serves the group.
                consumer.poll(IDLE_WAIT, |under, received| collected.push(under, received));
            }
            Next::Hold => {
                if !spare.wait(BEFORE_PAUSE) {
                    tracing::warn!("inserts are slow: fetching pauses");
                    consumer.pause();
                    paused_under = Some(collected.assignment);
                }
            }
        }
        collected.follow(consumer.assignment());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::{Fill, Headers};

    /// The offsets of its messages.
    #[derive(Debug, Default)]
    struct Offsets(Vec<i64>);

    impl Batch for Offsets {
        fn push(&mut self, received: Received<'_>) {
            self.0.push(received.offset);
        }

        fn fill(&self, _: Instant) -> Fill {
            Fill {
                messages: self.0.len(),
                bytes: 0,
                age: Duration::ZERO,
                half: false,
            }
        }

        fn clear(&mut self) {
            self.0.clear();
        }
    }

    fn received(offset: i64) -> Received<'static> {
        Received {
            topic: "things",
            partition: 0,
            offset,
            key: None,
            payload: None,
            headers: Headers::default(),
        }
    }

    #[test]
    fn a_new_assignment_forgets_what_was_read_under_the_old_one_and_nothing_else() {
        let [old, new] = [Assignment::numbered(1), Assignment::numbered(2)];
        let mut collected = Collected {
            batch: Offsets::default(),
            assignment: old,
        };
        collected.push(old, received(5));
        // The assignment changes within the call that brings the message.
        collected.push(new, received(3));
        collected.follow(new);
        let handed_over = collected.hand_over(Offsets::default());
        assert_eq!(handed_over.assignment, new);
        assert_eq!(handed_over.batch.0, [3]);
    }
}
