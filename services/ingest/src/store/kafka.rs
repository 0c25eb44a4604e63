//! Kafka: the topic of readings, which this service owns. Here they are put in; what takes them out
//! again is `crate::writer`.

use std::sync::Arc;
use std::time::Duration;

use bionicpro_mesh::kafka::{Producer, Quiet, Sending, client_config, group_config};
use bionicpro_proto::ingest::v1::RecordedReading;
use prost::Message;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::config::{Fault, Kafka};
use crate::error::Error;

const CLIENT: &str = "bionicpro-ingest";
/// Order holds per prosthesis; eight consumers may share the work.
const PARTITIONS: i32 = 8;
/// The brokers' own default.
const REPLICATION: i32 = -1;
/// How long readings are kept: for so long ClickHouse may be away without any getting lost.
const RETENTION_MS: &str = "604800000";
/// How long an answer of the brokers may take.
const TIMEOUT: Duration = Duration::from_secs(2);
const CREATION_LIMIT: Duration = Duration::from_secs(20);

/// Makes the topic, if it is not there.
pub(crate) async fn create_topic(kafka: &Kafka) -> Result<(), KafkaError> {
    let admin: AdminClient<Quiet> =
        client_config(&kafka.brokers, CLIENT).create_with_context(Quiet)?;
    let topic = NewTopic::new(
        &kafka.topic,
        PARTITIONS,
        TopicReplication::Fixed(REPLICATION),
    );
    let options = AdminOptions::new().operation_timeout(Some(CREATION_LIMIT));
    let options = options.request_timeout(Some(CREATION_LIMIT));
    let topic = topic.set("retention.ms", RETENTION_MS);
    let topic = match in_sync(replication(&admin, &options).await?) {
        Some(least) => topic.set("min.insync.replicas", least),
        None => topic,
    };
    for outcome in admin.create_topics([&topic], &options).await? {
        match outcome {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(KafkaError::AdminOp(code)),
        }
    }
    Ok(())
}

/// How many replicas the brokers give a topic by default.
async fn replication(
    admin: &AdminClient<Quiet>,
    options: &AdminOptions,
) -> Result<u16, KafkaError> {
    let unknown = KafkaError::AdminOp(RDKafkaErrorCode::InvalidReplicationFactor);
    let brokers = admin.inner().fetch_metadata(None, CREATION_LIMIT)?;
    let broker = brokers.brokers().first().ok_or_else(|| unknown.clone())?;
    let broker = ResourceSpecifier::Broker(broker.id());
    let configs = admin.describe_configs([&broker], options).await?;
    configs
        .iter()
        .flatten()
        .filter_map(|config| config.get("default.replication.factor"))
        .find_map(|entry| entry.value.as_ref()?.parse().ok())
        .ok_or(unknown)
}

/// On how many replicas a reading has to be before it is acknowledged: where there are three, one
/// may be away, and the loss of another one loses nothing. None: the brokers' own default.
fn in_sync(replication: u16) -> Option<&'static str> {
    (replication >= 3).then_some("2")
}

/// The group that takes the readings out.
pub(crate) fn group(kafka: &Kafka) -> ClientConfig {
    group_config(&kafka.brokers, CLIENT, &kafka.group)
}

/// Where readings are put.
pub(crate) struct Log {
    producer: Arc<Producer>,
    topic: Arc<str>,
    fault: Option<Fault>,
}

impl Log {
    pub(crate) fn new(kafka: &Kafka, fault: Option<Fault>) -> Result<Self, KafkaError> {
        Ok(Self {
            producer: Arc::new(Producer::start(client_config(&kafka.brokers, CLIENT))?),
            topic: kafka.topic.as_str().into(),
            fault,
        })
    }

    /// The readings of one call.
    pub(crate) fn begin(&self) -> Writing {
        Writing {
            sending: self.producer.begin(&self.topic),
            buffer: Vec::new(),
            waits: self.fault != Some(Fault::AcknowledgeBeforeKafka),
        }
    }

    /// Asks whether the brokers answer and have the topic.
    pub(crate) async fn ping(self: Arc<Self>) -> Result<(), Error> {
        let asked = tokio::task::spawn_blocking(move || {
            let client = self.producer.client();
            let metadata = client.fetch_metadata(Some(&self.topic), TIMEOUT)?;
            match metadata.topics().first().and_then(|topic| topic.error()) {
                Some(error) => Err(KafkaError::MetadataFetch(error.into())),
                None => Ok(()),
            }
        });
        asked.await.map_err(Error::kafka)?.map_err(Error::kafka)
    }

    /// Completes when nothing can be put in any more: the process has to start anew.
    pub(crate) fn broken(&self) -> WaitForCancellationFutureOwned {
        self.producer.broken()
    }
}

/// Readings of one call on their way.
pub(crate) struct Writing {
    sending: Sending,
    buffer: Vec<u8>,
    /// False only for a test.
    waits: bool,
}

impl Writing {
    /// Puts readings in, as soon as there is room.
    pub(crate) async fn write(&mut self, readings: &[RecordedReading]) -> Result<(), Error> {
        let room = u16::try_from(readings.len()).map_err(Error::kafka)?;
        self.sending.reserve(room).await?;
        for reading in readings {
            self.buffer.clear();
            // A vector always has room.
            let _ = reading.encode(&mut self.buffer);
            self.sending.send(&reading.prosthesis_id, &self.buffer)?;
        }
        Ok(())
    }

    /// Waits until Kafka has all of them.
    pub(crate) async fn acknowledged(self) -> Result<(), Error> {
        if self.waits {
            self.sending.acknowledged().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_three_replicas_have_a_reading_before_it_is_acknowledged() {
        assert_eq!(in_sync(1), None);
        assert_eq!(in_sync(2), None);
        assert_eq!(in_sync(3), Some("2"));
    }
}
