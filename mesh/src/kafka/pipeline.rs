//! The way of messages through the process: a thread that reads, a task that applies, and the two
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

use rdkafka::{ClientConfig, error::KafkaError};

use super::{
    Assignment, Batch, Consumer, Group, Limits,
    consume::{self, Collected},
    gaps::Gaps,
    lag,
    spare::Spare,
};
use crate::telemetry::messaging;

/// How long the insert that is running at the end may take.
const LAST_INSERT: Duration = Duration::from_secs(5);

/// A pipeline at work.
pub struct Pipeline {
    group: Arc<Group>,
    stop: Arc<AtomicBool>,
    /// Cancelled when one of the two has ended, for whatever reason.
    ended: CancellationToken,
    read: thread::JoinHandle<()>,
    apply: JoinHandle<()>,
}

/// A part of the pipeline ended by itself: messages are no longer applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pipeline has broken: no message is applied any more")]
pub struct Broken;

/// A pipeline could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration of the client is wrong.
    #[error("the consumer's configuration: {0}")]
    Kafka(#[from] KafkaError),
    /// The system gives no thread.
    #[error("no thread for the consumer: {0}")]
    Thread(#[from] io::Error),
}

/// What is done with batches.
pub trait Apply<B>: Send + 'static {
    /// Stores a batch, which was read under `assignment`, and then commits it. It comes back when
    /// that is done, however long it takes.
    fn apply(&self, batch: &mut B, assignment: Assignment) -> impl Future<Output = ()> + Send;
}

/// Applies what comes until there is nothing more, and puts the batches back.
async fn apply_all<B: Batch>(
    applier: impl Apply<B>,
    mut full: mpsc::Receiver<Collected<B>>,
    spare: Arc<Spare<B>>,
) {
    while let Some(mut collected) = full.recv().await {
        applier
            .apply(&mut collected.batch, collected.assignment)
            .await;
        collected.batch.clear();
        spare.put(collected.batch);
    }
}

impl Pipeline {
    /// Joins the group of `config` and begins. `empty` makes a batch; `applier` is given the group's
    /// member, to commit by.
    ///
    /// # Errors
    /// The configuration is wrong, or there are no more threads.
    pub fn start<B: Batch, A: Apply<B>>(
        config: ClientConfig,
        topics: &[&str],
        limits: Limits,
        empty: impl Fn() -> B,
        applier: impl FnOnce(Arc<Consumer<B>>) -> A,
    ) -> Result<Self, StartError> {
        let (spare, stop) = (
            Arc::new(Spare::new(empty())),
            Arc::new(AtomicBool::new(false)),
        );
        let group = Arc::new(Group::observe(&config, topics)?);
        let name = config.get("group.id").unwrap_or_default().to_owned();
        // A count that begins with its first message would hide just that one from a rate.
        for topic in topics {
            messaging::dead_letters(topic, 0);
            messaging::lost(&name, topic, 0);
        }
        let gaps = Arc::new(Gaps::of(&name));
        let consumer = Consumer::join(config, topics, Arc::clone(&spare), Arc::clone(&gaps))?;
        let consumer = Arc::new(consumer);
        let member = Arc::clone(&consumer);
        let measure = lag::measure(&name, Arc::clone(&group), gaps, move || member.read_up_to());
        let (full, batches) = mpsc::channel(1);
        let applier = applier(Arc::clone(&consumer));
        let apply = apply_all(applier, batches, Arc::clone(&spare));
        let apply = async {
            tokio::select! {
                () = apply => {}
                () = measure => {}
            }
        };
        let (batch, stopped) = (empty(), Arc::clone(&stop));
        let read = move || consume::run(batch, &limits, &consumer, &full, &spare, &stopped);
        Ok(Self::of(group, stop, read, apply)?)
    }

    /// Sets the two to work; neither may end before `stop` is set.
    fn of(
        group: Arc<Group>,
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
            group,
            stop,
            ended,
            read,
            apply,
        })
    }

    /// The group that it is a member of, seen from outside.
    #[must_use]
    pub fn group(&self) -> Arc<Group> {
        Arc::clone(&self.group)
    }

    /// Completes when a part has ended; before [`Self::stop`] that is a panic.
    pub fn ended(&self) -> WaitForCancellationFutureOwned {
        self.ended.clone().cancelled_owned()
    }

    /// For work beside the two: when this is dropped before [`Self::stop`], the pipeline is broken.
    pub fn guard(&self) -> DropGuard {
        self.ended.clone().drop_guard()
    }

    /// Stops reading, lets the insert that is running end, and leaves the group.
    ///
    /// # Errors
    /// It has stopped by itself before.
    pub async fn stop(self) -> Result<(), Broken> {
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
        let group = Group::observe(&ClientConfig::new(), &[]).unwrap();
        Pipeline::of(group.into(), stop, move || read(&stopped), apply).unwrap()
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
