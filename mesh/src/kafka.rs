//! How services reach Kafka: a consumer that writes whole batches into a store and commits only
//! what is there, safe when partitions move; a producer that waits for every acknowledgement; and
//! what all clients have in common. What a message means, and where it goes, is the services' own.
//!
//! A thread reads ([`Pipeline`]), a task applies, and two batches go around between them: so memory
//! is bounded, and a slow store slows the reading down.

mod batch;
mod consume;
mod consumer;
pub mod dead_letters;
mod gaps;
mod group;
mod lag;
mod pipeline;
mod producer;
mod spare;
mod trouble;

use rdkafka::{
    ClientConfig, ClientContext, config::RDKafkaLogLevel, consumer::ConsumerContext,
    error::KafkaError,
};

pub use self::{
    batch::{Batch, Fill, Headers, Ledger, Limits, Range, Received},
    consumer::{Assignment, Consumer},
    dead_letters::Kept,
    group::{Group, Progress},
    pipeline::{Apply, Broken, Pipeline, StartError},
    producer::{Producer, Sending, Unacknowledged},
    trouble::{Stuck, Trouble},
};

/// What all our clients have in common. `client` is the program's name.
#[must_use]
pub fn client_config(brokers: &str, client: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", client)
        .set("reconnect.backoff.max.ms", "2000");
    config
}

/// What our consumers and those who look at a group have in common.
#[must_use]
pub fn group_config(brokers: &str, client: &str, group: &str) -> ClientConfig {
    let mut config = client_config(brokers, client);
    config
        .set("group.id", group)
        // Offsets are committed when what they stand for is stored, not when it is read.
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        // Topics are made by their owners; new ones are noticed soon.
        .set("allow.auto.create.topics", "false")
        .set("topic.metadata.refresh.interval.ms", "2000");
    config
}

/// The context of a client that only looks on: it keeps librdkafka's log down.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka");
    }
}

impl ConsumerContext for Quiet {}

/// librdkafka repeats itself while a broker is away, and readiness says so already.
fn log(level: RDKafkaLogLevel, facility: &str, said: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(facility, said, "librdkafka");
        }
        _ => tracing::debug!(facility, said, "librdkafka"),
    }
}
