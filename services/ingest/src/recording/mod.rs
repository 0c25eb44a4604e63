//! Readings that devices send: each is checked, left out where it was there before, and put into
//! the log. Not here: the log itself, and how the readings get from there into ClickHouse.

mod check;
mod window;

use bionicpro_proto::ingest::v1;
use chrono::Utc;

use self::check::check;
use self::window::Window;
use crate::error::Error;
use crate::store::kafka::{Log, Writing};

pub(crate) use self::check::Rejection;

/// Rejections that a receipt names; further ones are counted.
const MOST_NAMED: usize = 100;
/// Readings for which room is made at once.
const CHUNK: usize = 1_000;

/// What became of the readings of a call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) accepted: u64,
    pub(crate) duplicates: u64,
    pub(crate) rejected: u64,
    /// The first ones, each with the number of its reading.
    pub(crate) rejections: Vec<(u64, Rejection)>,
}

/// One call's readings on their way into the log.
pub(crate) struct Recording {
    writing: Writing,
    intake: Intake,
}

impl Recording {
    pub(crate) fn begin(log: &Log) -> Self {
        Self {
            writing: log.begin(),
            intake: Intake::default(),
        }
    }

    /// Takes readings; waits where they come faster than the log takes them.
    pub(crate) async fn take(&mut self, readings: &[v1::Reading]) -> Result<(), Error> {
        for chunk in readings.chunks(CHUNK) {
            let received = Utc::now().timestamp_micros();
            let good: Vec<_> = chunk
                .iter()
                .filter_map(|reading| self.intake.take(reading, received))
                .collect();
            self.writing.write(&good).await?;
        }
        Ok(())
    }

    /// Waits until the log has them.
    pub(crate) async fn finish(self) -> Result<Receipt, Error> {
        if self.intake.seen == 0 {
            return Err(Error::NoReadings);
        }
        self.writing.acknowledged().await?;
        Ok(self.intake.receipt)
    }
}

/// Decides about readings, one after the other.
#[derive(Debug, Default)]
struct Intake {
    seen: u64,
    window: Window,
    receipt: Receipt,
}

impl Intake {
    /// The reading as the log takes it; none where it is left out.
    fn take(&mut self, reading: &v1::Reading, received_us: i64) -> Option<v1::RecordedReading> {
        let index = self.seen;
        self.seen += 1;
        match check(reading, received_us) {
            Ok((id, recorded)) if self.window.is_new(id) => {
                self.receipt.accepted += 1;
                Some(recorded)
            }
            Ok(_) => {
                self.receipt.duplicates += 1;
                None
            }
            Err(rejection) => {
                self.receipt.rejected += 1;
                if self.receipt.rejections.len() < MOST_NAMED {
                    self.receipt.rejections.push((index, rejection));
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::check::tests::{NOW_US, reading};
    use super::*;
    use uuid::Uuid;

    #[test]
    fn of_two_readings_with_one_id_the_first_holds() {
        let mut intake = Intake::default();
        let first = reading();
        let other = v1::Reading {
            response_ms: first.response_ms + 1,
            ..first.clone()
        };
        let taken = intake.take(&first, NOW_US).unwrap();
        assert_eq!(taken.response_ms, first.response_ms);
        assert_eq!(intake.take(&other, NOW_US), None);
        let receipt = intake.receipt;
        assert_eq!((receipt.accepted, receipt.duplicates), (1, 1));
    }

    #[test]
    fn a_rejected_reading_is_numbered_and_keeps_no_other_back() {
        let mut intake = Intake::default();
        let bad = v1::Reading {
            force_newtons: f64::NAN,
            ..reading()
        };
        let good = v1::Reading {
            id: Uuid::now_v7().to_string(),
            ..reading()
        };
        for reading in [&reading(), &bad, &good] {
            intake.take(reading, NOW_US);
        }
        let receipt = intake.receipt;
        assert_eq!((receipt.accepted, receipt.rejected), (2, 1));
        assert_eq!(receipt.rejections[0].0, 1);
        assert_eq!(receipt.rejections[0].1.field, "force_newtons");
    }

    #[test]
    fn rejections_are_all_counted_and_some_of_them_named() {
        let mut intake = Intake::default();
        for _ in 0..MOST_NAMED + 5 {
            intake.take(&v1::Reading::default(), NOW_US);
        }
        let receipt = intake.receipt;
        assert_eq!(receipt.rejected, 105);
        assert_eq!(receipt.rejections.len(), MOST_NAMED);
    }
}
