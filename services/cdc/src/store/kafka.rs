//! Kafka: what the group has applied, and what all our clients have in common. The reader of
//! Connect's positions has a file of its own.

mod positions;

use std::collections::BTreeMap;

use bionicpro_mesh::kafka::{Group, Progress, group_config};
use rdkafka::{ClientConfig, error::KafkaError};

pub(crate) use self::positions::Positions;
use crate::{
    feed::Feed,
    watermark::{Offsets, PartitionId},
};

/// What all our clients have in common.
pub(crate) fn config(brokers: &str, feed: &Feed) -> ClientConfig {
    group_config(brokers, "bionicpro-cdc", &feed.group)
}

/// The group seen from outside.
///
/// # Errors
/// The configuration is wrong.
pub(crate) fn group(brokers: &str, feed: &Feed) -> Result<Group, KafkaError> {
    let topics = feed.topics.each_ref().map(String::as_str);
    Group::observe(&config(brokers, feed), &topics)
}

/// Offsets by partition, as the watermark wants them.
pub(crate) fn offsets(progress: Vec<Progress>) -> BTreeMap<PartitionId, Offsets> {
    progress
        .into_iter()
        .map(|it| {
            let offsets = Offsets {
                applied: it.applied(),
                end: it.end,
            };
            ((it.topic, it.partition), offsets)
        })
        .collect()
}
