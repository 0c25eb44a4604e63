//! Readings that devices send reach the reports by runs of their days: a day is loaded again when
//! some have arrived since, today's among them. Not here: how arrivals are noted, which is SQL.

use std::time::Duration;

use tokio::sync::Notify;

use super::DailyLoad;
use crate::error::Error;
use crate::run::Change;

/// How often the arrivals are looked at.
const LOOK: Duration = Duration::from_secs(3);

impl DailyLoad {
    /// Starts runs over days of which readings have arrived.
    pub(super) async fn follow_arrivals(&self, woken: &Notify) {
        loop {
            if let Err(error) = self.reopen_arrived(woken).await {
                tracing::warn!(
                    error = error.with_sources(),
                    "could not look for days of which readings have arrived"
                );
            }
            self.until_next_look(LOOK).await;
        }
    }

    async fn reopen_arrived(&self, woken: &Notify) -> Result<(), Error> {
        let days = self.warehouse.arrived_days().await?;
        self.reopen(&days, Change::Arrivals, woken).await
    }
}
