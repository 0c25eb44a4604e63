//! Kafka: the group's consumer, and what the group has applied.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    ClientConfig, ClientContext, Message as _, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance},
    error::{KafkaError, RDKafkaErrorCode},
    message::{BorrowedMessage, Headers as _},
};

use crate::{
    batch::{Range, Received},
    connect,
    feed::Feed,
    spare::Spare,
    watermark::{Offsets, PartitionId, SourcePosition},
};

/// How long an answer of the brokers may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long partitions are kept back from others so that a running insert can end.
const LAST_INSERT: Duration = Duration::from_secs(5);

/// What all our clients have in common.
fn config(brokers: &str, feed: &Feed) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", "bionicpro-cdc")
        .set("group.id", &feed.group)
        // Offsets are committed when their changes are in ClickHouse, not when they are read.
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        // Connect makes the topics; new ones are noticed soon.
        .set("allow.auto.create.topics", "false")
        .set("topic.metadata.refresh.interval.ms", "2000")
        .set("reconnect.backoff.max.ms", "2000");
    config
}

/// The group's member: reads the changes of its share of the partitions.
pub(crate) struct Consumer {
    inner: BaseConsumer<Member>,
}

impl Consumer {
    /// Joins the group. Neither the brokers nor the topics need be there yet.
    ///
    /// # Errors
    /// The configuration is wrong.
    pub(crate) fn join(brokers: &str, feed: &Feed, spare: Arc<Spare>) -> Result<Self, KafkaError> {
        let inner: BaseConsumer<Member> = config(brokers, feed)
            // The default of a second caps a fast consumer near 115,000 messages a second.
            .set("fetch.queue.backoff.ms", "5")
            .set("queued.max.messages.kbytes", "32768")
            // A consumer that was killed frees its partitions soon.
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "1500")
            .create_with_context(Member {
                spare,
                revoked: AtomicBool::new(false),
            })?;
        inner.subscribe(&feed.topics.each_ref().map(String::as_str))?;
        Ok(Self { inner })
    }

    /// Waits for a message and hands it to `take`; answers whether there was one.
    pub(crate) fn poll(&self, wait: Duration, take: impl FnOnce(Received<'_>)) -> bool {
        match self.inner.poll(wait) {
            None => false,
            Some(Ok(message)) => {
                take(received(&message));
                true
            }
            Some(Err(error)) => {
                // A topic that is not there yet, a broker that is away: librdkafka tries again.
                tracing::debug!(%error, "no message");
                false
            }
        }
    }

    /// Whether partitions were given up since the last call: what was read and not inserted of
    /// them is somebody else's now.
    pub(crate) fn was_revoked(&self) -> bool {
        let revoked = &self.inner.context().revoked;
        revoked.load(Ordering::Relaxed) && revoked.swap(false, Ordering::AcqRel)
    }

    /// Stops fetching, without leaving the group.
    pub(crate) fn pause(&self) {
        self.with_assignment(|partitions| self.inner.pause(partitions));
    }

    /// Fetches again.
    pub(crate) fn resume(&self) {
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

    /// Commits that everything in `ranges` is applied; blocks until Kafka has it. The position in
    /// the CRM's log goes with each offset.
    ///
    /// # Errors
    /// Kafka does not have it.
    pub(crate) fn commit(&self, ranges: &[Range]) -> Result<(), KafkaError> {
        let mut offsets = TopicPartitionList::with_capacity(ranges.len());
        for range in ranges {
            let mut element = offsets.add_partition(&range.topic, range.partition);
            element.set_offset(Offset::Offset(range.last + 1))?;
            if let Some(lsn) = range.lsn {
                element.set_metadata(lsn.to_string());
            }
        }
        self.inner.commit(&offsets, CommitMode::Sync)
    }
}

/// Whether a commit failed because the partitions have moved to another member: it reads from the
/// last commit, so what was applied is applied once more, to the same effect.
pub(crate) fn lost_partitions(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{IllegalGeneration, RebalanceInProgress, UnknownMemberId};
    matches!(
        error.rdkafka_error_code(),
        Some(IllegalGeneration | RebalanceInProgress | UnknownMemberId)
    )
}

fn received<'a>(message: &'a BorrowedMessage<'_>) -> Received<'a> {
    let traceparent = message.headers().and_then(|headers| {
        let header = headers.iter().find(|header| header.key == "traceparent")?;
        std::str::from_utf8(header.value?).ok()
    });
    Received {
        topic: message.topic(),
        partition: message.partition(),
        offset: message.offset(),
        key: message.key(),
        payload: message.payload(),
        traceparent,
    }
}

/// What librdkafka tells a member of the group.
struct Member {
    spare: Arc<Spare>,
    revoked: AtomicBool,
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka");
    }
}

impl ConsumerContext for Member {
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
            self.revoked.store(true, Ordering::Release);
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            tracing::info!(partitions = partitions.count(), "partitions assigned");
        }
    }
}

/// The group seen from outside: how far all its members together have come. Its calls block.
pub(crate) struct Group {
    feed: Arc<Feed>,
    inner: BaseConsumer<Observer>,
}

/// How far one partition has come.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub(crate) id: PartitionId,
    pub(crate) offsets: Offsets,
    /// The position in the CRM's log of the last change applied.
    pub(crate) lsn: u64,
}

impl Group {
    /// A client that looks at the group without joining it.
    ///
    /// # Errors
    /// The configuration is wrong.
    pub(crate) fn observe(brokers: &str, feed: Arc<Feed>) -> Result<Self, KafkaError> {
        let inner = config(brokers, &feed).create_with_context(Observer)?;
        Ok(Self { feed, inner })
    }

    /// Asks whether the brokers answer.
    ///
    /// # Errors
    /// They do not.
    pub(crate) fn ping(&self) -> Result<(), KafkaError> {
        self.partitions().map(drop)
    }

    /// How far the partitions of all tables have come. The ends are read anew from the brokers.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub(crate) fn progress(&self) -> Result<Vec<Progress>, KafkaError> {
        let partitions = self.partitions()?;
        let committed = self.inner.committed_offsets(partitions, TIMEOUT)?;
        committed
            .elements()
            .iter()
            .map(|element| {
                let (topic, partition) = (element.topic(), element.partition());
                let (first, end) = self.inner.fetch_watermarks(topic, partition, TIMEOUT)?;
                let applied = match element.offset() {
                    Offset::Offset(offset) => offset.max(first),
                    // Nothing was committed: what is left of the topic is still to be applied.
                    _ => first,
                };
                Ok(Progress {
                    id: (topic.to_owned(), partition),
                    offsets: Offsets { applied, end },
                    lsn: element.metadata().parse().unwrap_or_default(),
                })
            })
            .collect()
    }

    fn partitions(&self) -> Result<TopicPartitionList, KafkaError> {
        let metadata = self.inner.fetch_metadata(None, TIMEOUT)?;
        let mut partitions = TopicPartitionList::new();
        for topic in metadata
            .topics()
            .iter()
            .filter(|topic| self.feed.index(topic.name()).is_some())
        {
            for partition in topic.partitions() {
                partitions.add_partition(topic.name(), partition.id());
            }
        }
        Ok(partitions)
    }
}

/// Connect's positions, from the first one on. Its calls block.
pub(crate) struct Positions {
    feed: Arc<Feed>,
    topic: String,
    inner: BaseConsumer<Observer>,
    assigned: bool,
    last: Option<SourcePosition>,
}

impl Positions {
    /// A client that reads Connect's `topic` of positions, when it is there.
    ///
    /// # Errors
    /// The configuration is wrong.
    pub(crate) fn read(
        brokers: &str,
        feed: Arc<Feed>,
        topic: String,
    ) -> Result<Self, KafkaError> {
        let inner = config(brokers, &feed)
            .set("queued.max.messages.kbytes", "1024")
            .create_with_context(Observer)?;
        Ok(Self {
            feed,
            topic,
            inner,
            assigned: false,
            last: None,
        })
    }

    /// The last position that has arrived here; none before the first one.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub(crate) fn last(&mut self) -> Result<Option<SourcePosition>, KafkaError> {
        if !self.assigned {
            self.assigned = self.assign()?;
        }
        while let Some(message) = self.inner.poll(Duration::ZERO) {
            let message = message?;
            if let (Some(key), Some(value)) = (message.key(), message.payload()) {
                self.last = connect::source_position(&self.feed.source, key, value).or(self.last);
            }
        }
        Ok(self.last)
    }

    fn assign(&self) -> Result<bool, KafkaError> {
        let metadata = self.inner.fetch_metadata(None, TIMEOUT)?;
        let topics = metadata.topics();
        let Some(topic) = topics.iter().find(|topic| topic.name() == self.topic) else {
            return Ok(false);
        };
        let mut partitions = TopicPartitionList::new();
        for partition in topic.partitions() {
            partitions.add_partition_offset(&self.topic, partition.id(), Offset::Beginning)?;
        }
        self.inner.assign(&partitions)?;
        Ok(true)
    }
}

/// Offsets by partition, as the watermark wants them.
pub(crate) fn offsets(progress: Vec<Progress>) -> BTreeMap<PartitionId, Offsets> {
    progress
        .into_iter()
        .map(|progress| (progress.id, progress.offsets))
        .collect()
}

/// Looks on.
struct Observer;

impl ClientContext for Observer {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka");
    }
}

impl ConsumerContext for Observer {}

/// librdkafka repeats itself while a broker is away, and readiness says so already.
fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(facility, message, "librdkafka");
        }
        _ => tracing::debug!(facility, message, "librdkafka"),
    }
}
