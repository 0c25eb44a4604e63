//! The CRM consumer: one started by hand in the place of the stack's own, to
//! be killed at a chosen moment, and the offsets of its group.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};

use anyhow::Context;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use uuid::Uuid;

use crate::{Topology, crm, processes};

/// Partitions of each topic of the CRM.
pub const PARTITIONS: i32 = 4;

/// A consumer that is killed when it is dropped.
pub struct Consumer {
    process: Child,
    log: PathBuf,
}

impl Consumer {
    /// Starts one at the address of the stack's own, which has to be away.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn start(stack: &Topology, arguments: &[&str]) -> anyhow::Result<Self> {
        let log = stack
            .directories
            .state
            .join(format!("consumer-{}.log", Uuid::new_v4()));
        let output = File::create(&log)?;
        let listen = stack.cdc.url.socket_addrs(|| None)?;
        let listen = listen.first().context("the consumer has no address")?;
        let process = Command::new(stack.directories.binaries.join("bionicpro-cdc"))
            .arg("serve")
            .args(arguments)
            .arg("--environment=development")
            .arg(format!("--listen={listen}"))
            .arg(format!("--issuer={}", stack.keycloak.issuer))
            .arg(format!("--kafka-brokers={}", stack.kafka.brokers))
            .arg(format!(
                "--connect-offsets-topic={}",
                stack.connect.offsets_topic
            ))
            .arg(format!("--clickhouse-url={}", stack.clickhouse.url))
            .arg(format!(
                "--clickhouse-database={}",
                stack.clickhouse.database
            ))
            .arg(format!("--clickhouse-user={}", stack.clickhouse.cdc.user))
            .env(
                "BIONICPRO_CLICKHOUSE_PASSWORD",
                &stack.clickhouse.cdc.password,
            )
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("bionicpro-cdc is not built")?;
        Ok(Self { process, log })
    }

    /// What it has logged so far.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// How it has ended; none while it runs.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.process.try_wait()?)
    }

    /// Its number, for what the kernel says of it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Tells it to stop (SIGTERM) and waits for its end.
    ///
    /// # Errors
    /// When it does not end in the time that the supervisor gives.
    pub fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        processes::terminate(&mut self.process)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // It may have ended by itself; its log is of no use any more.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_file(&self.log);
    }
}

/// Sets the group of the consumer, which has to be away, to the beginning of
/// every topic.
///
/// # Errors
/// When Kafka refuses.
pub fn rewind(stack: &Topology) -> anyhow::Result<()> {
    let group: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &stack.kafka.brokers)
        .set("group.id", "bionicpro-cdc")
        .create()?;
    let mut beginning = TopicPartitionList::new();
    for table in &crm::TABLES {
        let topic = format!("crm.public.{}", table.name);
        for partition in 0..PARTITIONS {
            beginning.add_partition_offset(&topic, partition, Offset::Offset(0))?;
        }
    }
    Ok(group.commit(&beginning, CommitMode::Sync)?)
}
