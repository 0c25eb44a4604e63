//! The way of the changes through the process: a thread that reads, a task that applies, and the two
//! batches that go around between them.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinHandle, time};
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

use crate::{
    Failed,
    apply::Apply,
    batch::Batch,
    config::Config,
    consume,
    spare::Spare,
    store::{clickhouse::Store, kafka::Consumer},
    trouble::Trouble,
};

/// How long the insert that is running at the end may take.
const LAST_INSERT: Duration = Duration::from_secs(5);

/// A pipeline at work.
pub(crate) struct Pipeline {
    stop: Arc<AtomicBool>,
    /// Cancelled when one of the two has ended, for whatever reason.
    ended: CancellationToken,
    read: thread::JoinHandle<()>,
    apply: JoinHandle<()>,
}

/// A part of the pipeline ended by itself: changes are no longer applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pipeline has broken: no change is applied any more")]
pub(crate) struct Broken;

impl Pipeline {
    /// # Errors
    /// The configuration is wrong, or there are no more threads.
    pub(crate) fn start(
        config: &Config,
        store: Store,
        trouble: Arc<Trouble>,
    ) -> Result<Self, Failed> {
        let feed = &config.feed;
        let (spare, stop) = (Arc::new(Spare::new(feed)), Arc::new(AtomicBool::new(false)));
        let consumer = Consumer::join(&config.kafka_brokers, feed, Arc::clone(&spare))?;
        let consumer = Arc::new(consumer);
        let (full, batches) = mpsc::channel(1);
        let apply = Apply {
            feed: Arc::clone(feed),
            store,
            consumer: Arc::clone(&consumer),
            trouble,
            fault: config.fault,
        };
        let apply = apply.run(batches, Arc::clone(&spare));
        let (batch, stopped) = (Batch::new(feed), Arc::clone(&stop));
        let read = move || consume::run(batch, &consumer, &full, &spare, &stopped);
        Ok(Self::of(stop, read, apply)?)
    }

    /// Sets the two to work; neither may end before `stop` is set.
    fn of(
        stop: Arc<AtomicBool>,
        read: impl FnOnce() + Send + 'static,
        apply: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Self> {
        let ended = CancellationToken::new();
        let guard = ended.clone().drop_guard();
        let apply = tokio::spawn(async move {
            let _guard = guard;
            apply.await;
        });
        let guard = ended.clone().drop_guard();
        let read = thread::Builder::new()
            .name("consume".to_owned())
            .spawn(move || {
                let _guard = guard;
                read();
            })?;
        Ok(Self {
            stop,
            ended,
            read,
            apply,
        })
    }

    /// Completes when a part has ended; before [`Self::stop`] that is a panic.
    pub(crate) fn ended(&self) -> WaitForCancellationFutureOwned {
        self.ended.clone().cancelled_owned()
    }

    /// For work beside the two: when this is dropped before [`Self::stop`], the pipeline is broken.
    pub(crate) fn guard(&self) -> DropGuard {
        self.ended.clone().drop_guard()
    }

    /// Stops reading, lets the insert that is running end, and leaves the group.
    ///
    /// # Errors
    /// It has stopped by itself before.
    pub(crate) async fn stop(self) -> Result<(), Broken> {
        let broken = self.ended.is_cancelled();
        self.stop.store(true, Ordering::Relaxed);
        let read = tokio::task::spawn_blocking(move || self.read.join());
        // What is not applied by then is read again by the next member.
        let _ = time::timeout(LAST_INSERT, async { (read.await, self.apply.await) }).await;
        if broken { Err(Broken) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::future;

    use tokio::sync::oneshot;

    use super::*;

    fn wait_for(stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            thread::yield_now();
        }
    }

    fn pipeline(
        read: impl FnOnce(&AtomicBool) + Send + 'static,
        apply: impl Future<Output = ()> + Send + 'static,
    ) -> Pipeline {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        Pipeline::of(stop, move || read(&stopped), apply).unwrap()
    }

    #[tokio::test]
    async fn a_panic_of_the_reader_breaks_it() {
        let pipeline = pipeline(|_| panic!("on purpose"), future::pending());
        pipeline.ended().await;
    }

    #[tokio::test]
    async fn a_panic_while_applying_breaks_it() {
        let pipeline = pipeline(wait_for, async { panic!("on purpose") });
        pipeline.ended().await;
        assert_eq!(pipeline.stop().await, Err(Broken));
    }

    #[tokio::test]
    async fn to_be_stopped_is_no_break() {
        let (reading, read) = oneshot::channel::<()>();
        let reader = move |stop: &AtomicBool| {
            let _reading = reading;
            wait_for(stop);
        };
        // Applying ends when reading has.
        let pipeline = pipeline(reader, async { drop(read.await) });
        assert_eq!(pipeline.stop().await, Ok(()));
    }
}
