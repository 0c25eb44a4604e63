//! Follows the source's position and writes the watermark, once a second. Every instance does so:
//! the offsets are the group's, and the highest watermark holds.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bionicpro_mesh::kafka::Group;
use tokio::{task, time};

use crate::{
    error::Error,
    store::{
        clickhouse::Store,
        kafka::{self, Positions},
    },
    watermark::{Offsets, PartitionId, SourcePosition, Watermark},
};

const INTERVAL: Duration = Duration::from_secs(1);

/// Where the source is, and where the partitions were afterwards.
type Seen = Option<(SourcePosition, BTreeMap<PartitionId, Offsets>)>;

/// Runs until it is dropped.
pub(crate) async fn run(source: String, store: Store, group: Arc<Group>, positions: Positions) {
    let positions = Arc::new(Mutex::new(positions));
    let mut watermark = Watermark::default();
    let mut ticks = time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = step(&source, &store, &group, &positions, &mut watermark).await {
            tracing::debug!(%error, "the watermark does not move");
        }
    }
}

async fn step(
    source: &str,
    store: &Store,
    group: &Arc<Group>,
    positions: &Arc<Mutex<Positions>>,
    watermark: &mut Watermark,
) -> Result<(), Error> {
    let (group, positions) = (Arc::clone(group), Arc::clone(positions));
    let seen = task::spawn_blocking(move || look(&group, &positions)).await??;
    if let Some(reached) =
        seen.and_then(|(position, offsets)| watermark.observe(position, &offsets))
    {
        store.write_watermark(source, reached).await?;
    }
    Ok(())
}

/// The order matters: the offsets are read after the position.
fn look(group: &Group, positions: &Mutex<Positions>) -> Result<Seen, Error> {
    let source = positions
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .last()?;
    Ok(match source {
        Some(source) => Some((source, kafka::offsets(group.progress()?))),
        None => None,
    })
}
