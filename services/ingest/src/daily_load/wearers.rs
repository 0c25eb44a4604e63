//! Whose readings they are is what the CRM says: a run waits for its changes, and loaded days whose
//! wearers have become others are loaded again. Not here: how wearers are compared, which is SQL.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::DailyLoad;
use crate::error::Error;
use crate::run::Change;
use crate::store::crm::Inputs;

/// How often the wearers of the loaded days are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How often a run that waits asks how far the CRM's changes are.
const POLL: Duration = Duration::from_millis(200);

impl DailyLoad {
    /// Waits until the CRM's changes from before `began` are in ClickHouse, and answers up to when
    /// they are.
    pub(super) async fn wait_for_crm(&self, began: DateTime<Utc>) -> Result<DateTime<Utc>, Error> {
        let deadline = Instant::now() + self.crm_limit;
        loop {
            let watermark = self.crm.watermark().await?;
            if let Some(watermark) = watermark.filter(|watermark| *watermark >= began) {
                return Ok(watermark);
            }
            if Instant::now() >= deadline {
                return Err(Error::CrmBehind { watermark, began });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Starts runs over days whose wearers have changed.
    pub(super) async fn reopen_days(&self, woken: &Notify) {
        let mut settled = None;
        loop {
            match self.reopen_changed(settled, woken).await {
                Ok(inputs) => settled = inputs,
                Err(error) => tracing::warn!(
                    error = error.with_sources(),
                    "could not look for days whose wearers have changed"
                ),
            }
            self.until_next_look(LOOK).await;
        }
    }

    /// Answers what was looked at when it had changed no day: as long as it is `settled`, there is
    /// nothing to look for. A day that is reopened is looked at again until it is loaded.
    async fn reopen_changed(
        &self,
        settled: Option<Inputs>,
        woken: &Notify,
    ) -> Result<Option<Inputs>, Error> {
        // Before the days: a change that comes in between is found the next time.
        let inputs = self.crm.inputs().await?;
        if settled == Some(inputs) {
            return Ok(settled);
        }
        let days = self.crm.changed_days().await?;
        // A run each: a day that cannot be loaded keeps no other one back.
        self.reopen(&days, Change::Wearers, woken).await?;
        Ok(days.is_empty().then_some(inputs))
    }
}
