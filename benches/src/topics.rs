//! Topics of a benchmark's own in the stack's Kafka, and the groups that read them.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use bionicpro_tests::stack;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;
use tokio::runtime::Runtime;

const TIMEOUT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// How a topic is made: its name and how many partitions it has.
pub(crate) type Topic = (String, i32);

/// The topics; deleted in the end, with the groups.
pub(crate) struct Topics {
    topics: Vec<Topic>,
    admin: AdminClient<DefaultClientContext>,
    runtime: Runtime,
    groups: Mutex<Vec<String>>,
}

impl Topics {
    /// Makes topics, empty; what an interrupted run left is deleted.
    pub(crate) fn create(topics: Vec<Topic>) -> anyhow::Result<Self> {
        let topics = Self {
            topics,
            admin: client_config().create()?,
            runtime: Runtime::new()?,
            groups: Mutex::default(),
        };
        topics.delete();
        topics.make()?;
        Ok(topics)
    }

    fn make(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let topics = self.topics.iter().map(|(name, partitions)| {
                NewTopic::new(name, *partitions, TopicReplication::Fixed(1))
            });
            let topics: Vec<_> = topics.collect();
            let made = self.admin.create_topics(&topics, &AdminOptions::new());
            let made: Result<Vec<_>, _> = self.runtime.block_on(made)?.into_iter().collect();
            match made {
                Ok(_) => return Ok(()),
                // The old ones are still on their way out.
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) if began.elapsed() < TIMEOUT => {
                    self.delete();
                    thread::sleep(POLL);
                }
                Err((topic, error)) => bail!("{topic} cannot be made: {error}"),
            }
        }
    }

    fn delete(&self) {
        let topics: Vec<&str> = self.topics.iter().map(|(name, _)| name.as_str()).collect();
        let deleted = self.admin.delete_topics(&topics, &AdminOptions::new());
        // Those that are not there need no deleting; a broker that is away is met by the next call.
        let _ = self.runtime.block_on(deleted);
    }

    /// The name of a group that has read nothing yet.
    pub(crate) fn new_group(&self) -> String {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let topic = self.topics.first().map_or("bench", |(name, _)| name);
        let group = format!("{topic}-{}-{}", std::process::id(), groups.len());
        groups.push(group.clone());
        group
    }
}

/// How the stack's Kafka is reached.
pub(crate) fn client_config() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &stack().kafka.brokers);
    config
}

impl Drop for Topics {
    fn drop(&mut self) {
        let groups = std::mem::take(&mut self.groups).into_inner();
        let groups = groups.unwrap_or_else(PoisonError::into_inner);
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let deleted = self.admin.delete_groups(&groups, &AdminOptions::new());
        // What is left, as a group whose member was just killed, is deleted by the broker after a week.
        let _ = self.runtime.block_on(deleted);
        self.delete();
    }
}
