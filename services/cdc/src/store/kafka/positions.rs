//! Kafka Connect's topic of positions, read from its beginning. What a record says is read by
//! [`crate::connect`].

use std::{sync::Arc, time::Duration};

use bionicpro_mesh::kafka::Quiet;
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
};

use super::config;
use crate::{connect, feed::Feed, watermark::SourcePosition};

/// How long an answer of the brokers may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Connect's positions, from the first one on. Its calls block.
pub(crate) struct Positions {
    feed: Arc<Feed>,
    topic: String,
    inner: BaseConsumer<Quiet>,
    assigned: bool,
    last: Option<SourcePosition>,
}

impl Positions {
    /// A client that reads Connect's `topic` of positions, when it is there.
    ///
    /// # Errors
    /// The configuration is wrong.
    pub(crate) fn read(brokers: &str, feed: Arc<Feed>, topic: String) -> Result<Self, KafkaError> {
        let inner = config(brokers, &feed)
            .set("queued.max.messages.kbytes", "1024")
            .create_with_context(Quiet)?;
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
