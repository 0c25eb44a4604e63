//! The thread that reads: polls, parses into the batch, and hands it over to be inserted. librdkafka
//! wants to be polled, so nothing here waits for long.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use crate::{
    batch::{Batch, LIMITS, Next, next},
    spare::Spare,
    store::kafka::Consumer,
};

/// How long a poll of an empty batch waits: also the longest until a stop is noticed.
const IDLE_WAIT: Duration = Duration::from_millis(100);
/// How long a full batch waits before fetching is paused: pausing throws away what is fetched.
const BEFORE_PAUSE: Duration = Duration::from_secs(1);

/// Reads until `stop`, beginning with an empty `batch`. Full ones go to `full`; `spare` is where the
/// next one comes from.
pub(crate) fn run(
    mut batch: Batch,
    consumer: &Consumer,
    full: &mpsc::Sender<Batch>,
    spare: &Spare,
    stop: &AtomicBool,
) {
    let (mut caught_up, mut paused) = (true, false);
    while !stop.load(Ordering::Relaxed) {
        match next(
            batch.fill(Instant::now()),
            &LIMITS,
            caught_up,
            spare.is_there(),
            IDLE_WAIT,
        ) {
            Next::Poll(wait) => {
                caught_up = !consumer.poll(wait, |received| batch.push(received));
            }
            Next::Insert => {
                let Some(empty) = spare.take() else { continue };
                if full
                    .blocking_send(std::mem::replace(&mut batch, empty))
                    .is_err()
                {
                    return;
                }
                if std::mem::take(&mut paused) {
                    consumer.resume();
                }
            }
            Next::Hold if paused => {
                // Nothing is fetched; this only serves the group.
                consumer.poll(IDLE_WAIT, |received| batch.push(received));
            }
            Next::Hold => {
                if !spare.wait(BEFORE_PAUSE) {
                    tracing::warn!("inserts are slow: fetching pauses");
                    consumer.pause();
                    paused = true;
                }
            }
        }
        if consumer.was_revoked() {
            // Whoever has the partitions now reads from the last commit; so does this consumer.
            batch.clear();
            paused = false;
        }
    }
}
