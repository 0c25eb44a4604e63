//! The log of changes, filled once, and what Kafka says of the groups that read it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use serde_json::json;

use super::envelope::{self, Record};
use crate::topics::{Topics, client_config};

/// As many as the connector makes.
const PARTITIONS: u64 = 4;
/// One message of so many comes with a trace.
const TRACED: u64 = 100;
const TIMEOUT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// A source's topics: its customers' changes and Connect's position of it.
pub(crate) struct Log {
    /// The name of the source.
    pub(crate) source: &'static str,
    /// The topic of the changes.
    pub(crate) topic: String,
    /// The topic of the position.
    pub(crate) positions: String,
    producer: ThreadedProducer<DefaultProducerContext>,
    looking: BaseConsumer,
    topics: Topics,
}

impl Log {
    /// Makes the topics of `source`, empty; what an interrupted run left is deleted. `linger_ms`
    /// is how long a message waits for company on its way to the broker.
    pub(crate) fn create(source: &'static str, linger_ms: u32) -> anyhow::Result<Self> {
        // As the connector's own producer is set.
        let producer = client_config()
            .set("compression.type", "lz4")
            .set("linger.ms", linger_ms.to_string())
            .set("batch.size", "262144")
            .create()?;
        let (topic, positions) = (
            format!("{source}.public.customers"),
            format!("{source}.offsets"),
        );
        let partitions = i32::try_from(PARTITIONS)?;
        let log = Self {
            source,
            topics: Topics::create(vec![(topic.clone(), partitions), (positions.clone(), 1)])?,
            topic,
            positions,
            producer,
            looking: client_config().create()?,
        };
        log.put_position()?;
        Ok(log)
    }

    /// What Connect commits of a connector that has come as far as the log.
    fn put_position(&self) -> anyhow::Result<()> {
        let key = json!([self.source, { "server": self.source }]).to_string();
        let lsn = envelope::FIRST_LSN;
        let position = json!({"lsn_commit": lsn, "lsn": lsn, "ts_usec": 1_795_521_600_000_000_u64});
        let position = position.to_string();
        let record = BaseRecord::to(&self.positions).key(&key).payload(&position);
        self.send(record)?;
        Ok(self.producer.flush(TIMEOUT)?)
    }

    /// Writes messages 0 to `messages`, evenly over the partitions. Answers their mean size in
    /// bytes.
    pub(crate) fn fill(&self, messages: u64) -> anyhow::Result<u64> {
        let mut bytes = 0;
        for number in 0..messages {
            bytes += self.append(number)?;
        }
        self.producer.flush(TIMEOUT)?;
        Ok(bytes.checked_div(messages).unwrap_or_default())
    }

    /// Writes one message. Answers its size in bytes.
    pub(crate) fn append(&self, number: u64) -> anyhow::Result<u64> {
        let Record { key, value } = envelope::record(number);
        let record = BaseRecord::to(&self.topic)
            .partition(i32::try_from(number % PARTITIONS)?)
            .key(&key)
            .payload(&value);
        let traceparent = format!("00-{number:032x}-{:016x}-00", number + 1);
        let record = if number % TRACED == 1 {
            record.headers(OwnedHeaders::new().insert(Header {
                key: "traceparent",
                value: Some(&traceparent),
            }))
        } else {
            record
        };
        self.send(record)?;
        Ok(u64::try_from(value.len())?)
    }

    fn send(&self, mut record: BaseRecord<'_, String, String>) -> anyhow::Result<()> {
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), unsent)) => {
                    record = unsent;
                    thread::sleep(POLL);
                }
                Err((error, _)) => return Err(error).context("a message could not be sent"),
            }
        }
    }

    /// The name of a group that has read nothing yet.
    pub(crate) fn new_group(&self) -> String {
        self.topics.new_group()
    }

    /// Waits until a group's members have their partitions.
    pub(crate) fn wait_until_assigned(&self, group: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let list = self.looking.fetch_group_list(Some(group), TIMEOUT)?;
            if list.groups().iter().any(|group| group.state() == "Stable") {
                return Ok(());
            }
            ensure!(began.elapsed() < TIMEOUT, "nobody joins the group {group}");
            thread::sleep(POLL);
        }
    }
}
