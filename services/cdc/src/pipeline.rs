//! The way of the changes through the process: a thread that reads, a task that applies, and the two
//! batches that go around between them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinHandle, time};

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
    read: thread::JoinHandle<()>,
    apply: JoinHandle<()>,
}

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
        let apply = tokio::spawn(apply.run(batches, Arc::clone(&spare)));
        let (batch, stopped) = (Batch::new(feed), Arc::clone(&stop));
        let read = thread::Builder::new()
            .name("consume".to_owned())
            .spawn(move || consume::run(batch, &consumer, &full, &spare, &stopped))?;
        Ok(Self { stop, read, apply })
    }

    /// Stops reading, lets the insert that is running end, and leaves the group.
    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        let read = tokio::task::spawn_blocking(move || self.read.join());
        // What is not applied by then is read again by the next member.
        let _ = time::timeout(LAST_INSERT, async { (read.await, self.apply.await) }).await;
    }
}
