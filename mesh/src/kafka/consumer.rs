//! A group's member: reads its share of the partitions and commits what is applied of it, for as
//! long as it is its share.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    ClientConfig, ClientContext, Message as _, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
};
use tokio::task;

use super::{
    Headers, Range, Received, Trouble,
    gaps::{Gaps, Offsets},
    group::progress,
    log,
    spare::Spare,
};

/// How long partitions are kept back from others so that a running insert can end.
const LAST_INSERT: Duration = Duration::from_secs(5);

/// Which share of the partitions something was read under. Under the next one they may be somebody
/// else's, and what was read and not committed of them is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment(u64);

#[cfg(test)]
impl Assignment {
    pub(super) fn numbered(number: u64) -> Self {
        Self(number)
    }
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Committed {
    /// Kafka has the offsets.
    Done,
    /// The assignment is over: whoever has the partitions now commits for them.
    NotOurs,
}

/// A group's member.
pub struct Consumer<B: Send + 'static> {
    inner: BaseConsumer<Member<B>>,
}

impl<B: Send + 'static> Consumer<B> {
    /// Joins the group of `config`, for `topics`. Neither the brokers nor the topics need be there
    /// yet.
    ///
    /// # Errors
    /// The configuration is wrong.
    pub(super) fn join(
        mut config: ClientConfig,
        topics: &[&str],
        spare: Arc<Spare<B>>,
        gaps: Arc<Gaps>,
    ) -> Result<Self, KafkaError> {
        let inner: BaseConsumer<Member<B>> = config
            // The default of a second caps a fast consumer near 115,000 messages a second.
            .set("fetch.queue.backoff.ms", "5")
            .set("queued.max.messages.kbytes", "32768")
            // A consumer that was killed frees its partitions soon.
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "1500")
            .create_with_context(Member {
                spare,
                gaps,
                assignment: AtomicU64::new(0),
                committing: Mutex::new(()),
            })?;
        inner.subscribe(topics)?;
        Ok(Self { inner })
    }

    /// Waits for a message and hands it to `take`, with the assignment that it was read under: that
    /// may have begun in the same call. Answers whether there was a message.
    pub(super) fn poll(&self, wait: Duration, take: impl FnOnce(Assignment, Received<'_>)) -> bool {
        match self.inner.poll(wait) {
            None => false,
            Some(Ok(message)) => {
                take(self.assignment(), received(&message));
                true
            }
            Some(Err(error)) => {
                // A topic that is not there yet, a broker that is away: librdkafka tries again.
                tracing::debug!(%error, "no message");
                false
            }
        }
    }

    /// The assignment that holds now; it only changes while [`Self::poll`] runs.
    pub(super) fn assignment(&self) -> Assignment {
        Assignment(self.inner.context().assignment.load(Ordering::Acquire))
    }

    /// Up to which offset it has read, of its partitions: more than is committed, and not lost when
    /// Kafka deletes it.
    pub(super) fn read_up_to(&self) -> Offsets {
        let Ok(positions) = self.inner.position() else {
            return Offsets::new();
        };
        let offsets = positions.elements().into_iter().filter_map(|it| {
            let offset = it.offset().to_raw().filter(|offset| *offset >= 0)?;
            Some(((it.topic().to_owned(), it.partition()), offset))
        });
        offsets.collect()
    }

    /// Stops fetching, without leaving the group.
    pub(super) fn pause(&self) {
        self.with_assignment(|partitions| self.inner.pause(partitions));
    }

    /// Fetches again.
    pub(super) fn resume(&self) {
        self.with_assignment(|partitions| self.inner.resume(partitions));
    }

    fn with_assignment(&self, act: impl FnOnce(&TopicPartitionList) -> Result<(), KafkaError>) {
        if let Err(error) = self
            .inner
            .assignment()
            .and_then(|partitions| act(&partitions))
        {
            tracing::warn!(%error, "fetching could not be paused or resumed");
        }
    }

    /// Commits that everything in `ranges`, which was read under `assignment`, is applied; blocks
    /// until Kafka has it. The note of each range goes with its offset.
    ///
    /// The group's generation alone does not protect the partitions of others: a member of the new
    /// generation may commit any partition, and would take its new owner back.
    ///
    /// # Errors
    /// Kafka does not have it.
    pub(super) fn commit(
        &self,
        ranges: &[Range],
        assignment: Assignment,
    ) -> Result<Committed, KafkaError> {
        let member = self.inner.context();
        // No partition goes while this is held.
        let _committing = member.committing();
        if self.assignment() != assignment {
            return Ok(Committed::NotOurs);
        }
        let mut offsets = TopicPartitionList::with_capacity(ranges.len());
        for range in ranges {
            let mut element = offsets.add_partition(&range.topic, range.partition);
            element.set_offset(Offset::Offset(range.last + 1))?;
            if let Some(note) = range.note {
                element.set_metadata(note.to_string());
            }
        }
        self.inner.commit(&offsets, CommitMode::Sync)?;
        Ok(Committed::Done)
    }

    /// Commits `ranges`, however long it takes, unless the partitions have gone to another member.
    pub async fn commit_applied(
        self: &Arc<Self>,
        ranges: &[Range],
        assignment: Assignment,
        trouble: &Trouble,
    ) {
        let committed = trouble
            .insist("kafka", || async {
                let (consumer, ranges) = (Arc::clone(self), ranges.to_vec());
                let commit = move || consumer.commit(&ranges, assignment);
                match task::spawn_blocking(commit).await {
                    Ok(Err(error)) if lost_partitions(&error) => Ok(Committed::NotOurs),
                    Ok(outcome) => outcome.map_err(|error| error.to_string()),
                    Err(panicked) => Err(panicked.to_string()),
                }
            })
            .await;
        if committed == Committed::NotOurs {
            tracing::info!("offsets not committed: the partitions are somebody else's now");
        }
    }
}

/// Whether a commit failed because the partitions have moved to another member: it reads from the
/// last commit, so what was applied is applied once more, to the same effect.
fn lost_partitions(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{IllegalGeneration, RebalanceInProgress, UnknownMemberId};
    matches!(
        error.rdkafka_error_code(),
        Some(IllegalGeneration | RebalanceInProgress | UnknownMemberId)
    )
}

fn received<'a>(message: &'a BorrowedMessage<'_>) -> Received<'a> {
    Received {
        topic: message.topic(),
        partition: message.partition(),
        offset: message.offset(),
        key: message.key(),
        payload: message.payload(),
        headers: Headers::of(message.headers()),
    }
}

/// What librdkafka tells a member of the group.
struct Member<B> {
    spare: Arc<Spare<B>>,
    gaps: Arc<Gaps>,
    /// Counts the assignments that have ended.
    assignment: AtomicU64,
    committing: Mutex<()>,
}

impl<B> Member<B> {
    fn committing(&self) -> MutexGuard<'_, ()> {
        self.committing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: Send + 'static> Member<B> {
    /// Tells of messages that were deleted while nobody had the partitions, before the first
    /// commit hides it.
    fn look_for_gaps(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) {
        let elements = partitions.elements();
        let names = elements.iter().map(|it| (it.topic(), it.partition()));
        self.gaps.follow(names);
        match progress(consumer, partitions.clone()) {
            Ok(progress) => _ = self.gaps.look(&progress, &Offsets::new()),
            Err(error) => tracing::warn!(%error, "whether messages were deleted is not known"),
        }
    }
}

impl<B: Send + 'static> ClientContext for Member<B> {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka");
    }
}

impl<B: Send + 'static> ConsumerContext for Member<B> {
    /// Lets the insert that is running end and commit before the partitions go, so that their
    /// next owner starts behind it.
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            // A pause would outlive the assignment and hold the partitions when they come back.
            if let Err(error) = consumer.resume(partitions) {
                tracing::warn!(%error, "fetching could not be resumed");
            }
            let committed = self.spare.wait(LAST_INSERT);
            tracing::info!(
                partitions = partitions.count(),
                committed,
                "partitions revoked"
            );
            let _committing = self.committing();
            self.assignment.fetch_add(1, Ordering::AcqRel);
            self.gaps.follow(std::iter::empty());
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            self.look_for_gaps(consumer, partitions);
            tracing::info!(partitions = partitions.count(), "partitions assigned");
        }
    }
}

#[cfg(test)]
mod tests;
