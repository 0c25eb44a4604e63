//! How far the group behind a pipeline lags, for the metrics, and whether it lags too far.

use std::{sync::Arc, time::Duration};

use tokio::{task, time};

use super::{
    Group,
    gaps::{Gaps, Offsets},
};
use crate::telemetry::messaging::Lags;

const INTERVAL: Duration = Duration::from_secs(5);

/// Tells the lag of `group`, which `name` names, and of `gaps` that begin behind what its member has
/// `read`, until it is dropped. While the brokers are away nobody knows it, and none is told.
pub(super) fn measure<R: Fn() -> Offsets + Send>(
    name: &str,
    group: Arc<Group>,
    gaps: Arc<Gaps>,
    read: R,
) -> impl Future<Output = ()> + Send + use<R> {
    let lags = Lags::of(name);
    async move {
        let mut ticks = time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let group = Arc::clone(&group);
            // A panic in there is as good as no answer.
            let progress = match task::spawn_blocking(move || group.progress()).await {
                Ok(Ok(progress)) => progress,
                Ok(Err(_)) | Err(_) => Vec::new(),
            };
            gaps.look(&progress, &read());
            lags.tell(
                progress
                    .iter()
                    .map(|it| (it.topic.as_str(), it.partition, it.lag())),
            );
        }
    }
}
