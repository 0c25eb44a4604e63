//! One day of a run: load the readings, build the day aside, check it, swap it in.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};

use super::{DailyLoad, chunks};
use crate::days::{complete_until, still_complete_until};
use crate::error::Error;
use crate::run::Progress;
use crate::store::operational::Lease;
use crate::store::warehouse::{DayCounts, Known, RunDay};

/// How often a day is built before it counts as failed.
const ATTEMPTS: u32 = 3;
/// How long a rehearsal stands still before each swap.
const PAUSE: Duration = Duration::from_secs(1);

impl DailyLoad {
    /// Loads a day. Until the swap the mart has the old day, from then on the new one.
    pub(super) async fn load_day(
        &self,
        lease: &Lease<'_>,
        day: NaiveDate,
        crm_watermark: DateTime<Utc>,
    ) -> Result<Progress, Error> {
        let run_day = RunDay {
            run: lease.run.id,
            day,
        };
        let mut readings = self.source.read(day).await?;
        let read = chunks::load(&mut readings, &self.warehouse, run_day).await?;
        let (kept, complete_until) = if readings.source_has_day {
            (0, complete_until(day, readings.began))
        } else {
            self.keep(run_day, readings.began).await?
        };
        let arrivals_until = self.warehouse.stage_devices(run_day).await?;
        let counts = self.build(run_day, read + kept).await?;
        if !readings.source_has_day {
            self.refuse_loss(run_day, counts).await?;
        }
        if self.rehearsal.is_unsafe() {
            self.warehouse.remove(run_day).await?;
        }
        self.rehearsal.stand_still(PAUSE).await;
        // A process that lost its lock may have been cleaned up after: it must not swap. Should
        // the lock be lost only now, the swap fails, because the staging table is dropped first.
        lease.confirm().await?;
        self.warehouse.swap(run_day).await?;
        let known = Known {
            complete_until,
            crm_watermark,
            arrivals_until,
        };
        self.warehouse.write_watermark(run_day, known).await?;
        tracing::info!(run_id = %run_day.run, %day, read, kept, sent = counts.sent, unassigned = counts.unassigned, "day loaded");
        Ok(Progress {
            days_done: 1,
            readings_read: read,
            readings_sent: counts.sent,
            readings_unassigned: counts.unassigned,
            mart_rows_written: counts.mart_rows,
        })
    }

    /// A partition that the source has dropped says nothing about its readings: those that were
    /// loaded before count on. Where the source still has the day, a reading that is gone there is
    /// gone from the mart. Answers how many are kept, and up to when they are complete.
    async fn keep(&self, day: RunDay, began: DateTime<Utc>) -> Result<(u64, DateTime<Utc>), Error> {
        let known = self.warehouse.known_until(day.day).await?;
        let kept = self.warehouse.take_over(day).await?;
        Ok((kept, still_complete_until(day.day, began, known)))
    }

    /// Should the readings that were loaded before be gone from ClickHouse, too, the mart is the
    /// last that knows of them.
    async fn refuse_loss(&self, day: RunDay, counts: DayCounts) -> Result<(), Error> {
        let held = self.warehouse.held(day).await?;
        if counts.staged + counts.unassigned < held {
            return Err(Error::ReadingsGone { held });
        }
        Ok(())
    }

    /// Builds the day aside until it adds up: an assignment that changes in the CRM between
    /// building and counting makes it not.
    async fn build(&self, day: RunDay, read: u64) -> Result<DayCounts, Error> {
        let mut attempt = 1;
        loop {
            self.warehouse.build(day).await?;
            let counts = self.warehouse.count(day).await?;
            match check(read, counts) {
                Ok(()) => return Ok(counts),
                Err(error) if attempt == ATTEMPTS || counts.loaded != read => return Err(error),
                Err(error) => {
                    tracing::warn!(run_id = %day.run, day = %day.day, %error, "building a day again");
                }
            }
            attempt += 1;
        }
    }
}

/// Every reading that was read is in ClickHouse. It and every one that a device sent is either in
/// the mart or known to be nobody's; one that came both ways, once.
fn check(read: u64, counts: DayCounts) -> Result<(), Error> {
    let DayCounts {
        loaded,
        repeated,
        sent,
        unassigned,
        staged,
        ..
    } = counts;
    if loaded == read && staged + unassigned + repeated == read + sent {
        return Ok(());
    }
    Err(Error::ReadingsUnaccounted {
        read,
        loaded,
        sent,
        repeated,
        staged,
        unassigned,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(loaded: u64, staged: u64, unassigned: u64) -> DayCounts {
        DayCounts {
            loaded,
            repeated: 0,
            sent: 0,
            unassigned,
            staged,
            mart_rows: 1,
        }
    }

    #[test]
    fn readings_in_the_mart_and_readings_of_nobody_make_up_what_was_read() {
        assert!(check(10, counts(10, 7, 3)).is_ok());
        assert!(check(0, counts(0, 0, 0)).is_ok());
    }

    #[test]
    fn a_lost_reading_is_noticed() {
        assert!(check(10, counts(9, 9, 0)).is_err());
        assert!(check(10, counts(10, 9, 0)).is_err());
    }

    #[test]
    fn a_reading_that_came_both_ways_is_accounted_for_once() {
        let both = |staged| DayCounts {
            repeated: 2,
            sent: 5,
            ..counts(10, staged, 1)
        };
        assert!(check(10, both(12)).is_ok());
        assert!(check(10, both(11)).is_err(), "a device's reading is lost");
        assert!(check(10, both(14)).is_err(), "two count twice");
    }

    #[test]
    fn a_reading_that_counts_twice_is_noticed() {
        assert!(check(10, counts(11, 10, 0)).is_err());
        assert!(check(10, counts(10, 11, 0)).is_err());
    }
}
