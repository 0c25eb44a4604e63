//! Topics of the benchmark's own, filled once and deleted in the end, and what
//! Kafka says of the groups that read them.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bionicpro_tests::stack;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use serde_json::json;
use tokio::runtime::Runtime;

use super::envelope::{self, Record};

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
    admin: AdminClient<DefaultClientContext>,
    runtime: Runtime,
    groups: Mutex<Vec<String>>,
}

impl Log {
    /// Makes the topics of `source`, empty; what an interrupted run left is deleted. `linger_ms`
    /// is how long a message waits for company on its way to the broker.
    pub(crate) fn create(source: &'static str, linger_ms: u32) -> anyhow::Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &stack().kafka.brokers);
        let admin = config.create()?;
        let looking = config.create()?;
        // As the connector's own producer is set.
        let producer = config
            .set("compression.type", "lz4")
            .set("linger.ms", linger_ms.to_string())
            .set("batch.size", "262144")
            .create()?;
        let log = Self {
            source,
            topic: format!("{source}.public.customers"),
            positions: format!("{source}.offsets"),
            producer,
            looking,
            admin,
            runtime: Runtime::new()?,
            groups: Mutex::default(),
        };
        log.delete_topics();
        log.create_topics()?;
        log.put_position()?;
        Ok(log)
    }

    fn create_topics(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        let partitions = i32::try_from(PARTITIONS)?;
        loop {
            let replication = || TopicReplication::Fixed(1);
            let topics = [
                NewTopic::new(&self.topic, partitions, replication()),
                NewTopic::new(&self.positions, 1, replication()),
            ];
            let made = self.admin.create_topics(&topics, &AdminOptions::new());
            let made: Result<Vec<_>, _> = self.runtime.block_on(made)?.into_iter().collect();
            match made {
                Ok(_) => return Ok(()),
                // The old ones are still on their way out.
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) if began.elapsed() < TIMEOUT => {
                    self.delete_topics();
                    thread::sleep(POLL);
                }
                Err((topic, error)) => bail!("{topic} cannot be made: {error}"),
            }
        }
    }

    fn delete_topics(&self) {
        let topics = [self.topic.as_str(), &self.positions];
        let deleted = self.admin.delete_topics(&topics, &AdminOptions::new());
        // Those that are not there need no deleting; a broker that is away is met by the next call.
        let _ = self.runtime.block_on(deleted);
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
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let group = format!("{}-{}-{}", self.source, std::process::id(), groups.len());
        groups.push(group.clone());
        group
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

impl Drop for Log {
    fn drop(&mut self) {
        let groups = std::mem::take(&mut self.groups).into_inner();
        let groups = groups.unwrap_or_else(PoisonError::into_inner);
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let deleted = self.admin.delete_groups(&groups, &AdminOptions::new());
        // What is left is deleted by the next run, or by the broker after a week.
        let _ = self.runtime.block_on(deleted);
        self.delete_topics();
    }
}
