//! Kafka: what the group has applied, and what all our clients have in common. The reader of
//! Connect's positions has a file of its own.

mod positions;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bionicpro_mesh::kafka::{Quiet, group_config};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
};

pub(crate) use self::positions::Positions;
use crate::{
    feed::Feed,
    watermark::{Offsets, PartitionId},
};

/// How long an answer of the brokers may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What all our clients have in common.
pub(crate) fn config(brokers: &str, feed: &Feed) -> ClientConfig {
    group_config(brokers, "bionicpro-cdc", &feed.group)
}

/// The group seen from outside: how far all its members together have come. Its calls block.
pub(crate) struct Group {
    feed: Arc<Feed>,
    inner: BaseConsumer<Quiet>,
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
        let inner = config(brokers, &feed).create_with_context(Quiet)?;
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
