//! Kafka: what the group has applied, and what all our clients have in common. The group's member
//! and the reader of Connect's positions have files of their own.

mod consumer;
mod positions;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rdkafka::{
    ClientConfig, ClientContext, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::KafkaError,
};

pub(crate) use self::{
    consumer::{Assignment, Committed, Consumer, lost_partitions},
    positions::Positions,
};
use crate::{
    feed::Feed,
    watermark::{Offsets, PartitionId},
};

/// How long an answer of the brokers may take.
const TIMEOUT: Duration = Duration::from_secs(5);

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
