//! A consumer group seen from outside: how far all its members together have come, of how much.

use std::time::Duration;

use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::KafkaError,
};

use super::Quiet;

/// How long an answer of the brokers may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A group, looked at without joining it. Its calls block.
pub struct Group {
    topics: Vec<String>,
    inner: BaseConsumer<Quiet>,
}

/// How far one partition has come.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The topic.
    pub topic: String,
    /// The number of the partition.
    pub partition: i32,
    /// Behind the last message that was applied; none before the first commit.
    pub committed: Option<i64>,
    /// The first message that is there.
    pub first: i64,
    /// Behind the last message.
    pub end: i64,
    /// What was committed with the offset (`Range::note`); none before the first commit.
    pub note: Option<u64>,
}

impl Progress {
    /// The next message to apply: all before it are applied, or are there no more.
    #[must_use]
    pub fn applied(&self) -> i64 {
        // Nothing was committed: what is left of the topic is still to be applied.
        self.committed.unwrap_or(self.first).max(self.first)
    }

    /// How many messages are still to be applied.
    #[must_use]
    pub fn lag(&self) -> u64 {
        u64::try_from(self.end - self.applied()).unwrap_or_default()
    }
}

/// How far the group of `client` has come in `partitions`. The ends are read anew from the brokers.
///
/// # Errors
/// The brokers do not answer.
pub(super) fn progress<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    partitions: TopicPartitionList,
) -> Result<Vec<Progress>, KafkaError> {
    let committed = client.committed_offsets(partitions, TIMEOUT)?;
    committed
        .elements()
        .iter()
        .map(|element| {
            let (topic, partition) = (element.topic(), element.partition());
            let (first, end) = client.fetch_watermarks(topic, partition, TIMEOUT)?;
            let committed = match element.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            };
            Ok(Progress {
                topic: topic.to_owned(),
                partition,
                committed,
                first,
                end,
                note: element.metadata().parse().ok(),
            })
        })
        .collect()
}

impl Group {
    /// A client that looks at the group of `config`, for `topics`; they need not be there yet.
    ///
    /// # Errors
    /// The configuration is wrong.
    pub fn observe(config: &ClientConfig, topics: &[&str]) -> Result<Self, KafkaError> {
        Ok(Self {
            topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
            inner: config.create_with_context(Quiet)?,
        })
    }

    /// Asks whether the brokers answer.
    ///
    /// # Errors
    /// They do not.
    pub fn ping(&self) -> Result<(), KafkaError> {
        self.partitions().map(drop)
    }

    /// How far the partitions of all topics have come. The ends are read anew from the brokers.
    ///
    /// # Errors
    /// The brokers do not answer.
    pub fn progress(&self) -> Result<Vec<Progress>, KafkaError> {
        progress(&self.inner, self.partitions()?)
    }

    fn partitions(&self) -> Result<TopicPartitionList, KafkaError> {
        let metadata = self.inner.fetch_metadata(None, TIMEOUT)?;
        let ours = |name: &str| self.topics.iter().any(|topic| topic == name);
        let mut partitions = TopicPartitionList::new();
        for topic in metadata.topics().iter().filter(|it| ours(it.name())) {
            for partition in topic.partitions() {
                partitions.add_partition(topic.name(), partition.id());
            }
        }
        Ok(partitions)
    }
}
