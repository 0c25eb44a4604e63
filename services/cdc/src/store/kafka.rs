//! Kafka: what the group has applied, and what all our clients have in common. The reader of
//! Connect's positions has a file of its own.

mod positions;

use std::collections::BTreeMap;

use bionicpro_mesh::kafka::{Progress, group_config};
use rdkafka::ClientConfig;

pub(crate) use self::positions::Positions;
use crate::{
    feed::Feed,
    watermark::{Offsets, PartitionId},
};

/// What all our clients have in common.
pub(crate) fn config(brokers: &str, feed: &Feed) -> ClientConfig {
    group_config(brokers, "bionicpro-cdc", &feed.group)
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
