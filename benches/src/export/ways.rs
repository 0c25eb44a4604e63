//! What is measured of both, and how many are under way at once.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::ensure;
use bionicpro_proto::reports::v1::ExportState;
use futures::{StreamExt, TryStreamExt, stream};

use super::Files;
use super::bare::{Bare, Took};
use crate::encoded::Caller;
use crate::reporting::{self, Period, Reporting};
use crate::rounds::{Contender, Sample, median};

/// The files of reports, each of another period.
pub(super) struct Exports<'a> {
    place: &'a Reporting,
    caller: Caller,
    next: Cell<u64>,
}

pub(super) struct Ours<'a> {
    pub(super) exports: &'a Exports<'a>,
    pub(super) files: Files,
    /// Whether it asks for what was made before.
    pub(super) is_cached: bool,
}

pub(super) struct Theirs<'a> {
    pub(super) bare: &'a Bare<'a>,
    pub(super) files: Files,
}

impl<'a> Exports<'a> {
    pub(super) fn new(place: &'a Reporting) -> anyhow::Result<Self> {
        Ok(Self {
            place,
            caller: place.runtime.block_on(place.caller())?,
            next: Cell::new(0),
        })
    }

    /// Makes a file of a period that had none.
    async fn make(&self, days: u64) -> anyhow::Result<Duration> {
        let number = self.next.replace(self.next.get() + 1);
        let began = Instant::now();
        reporting::ready(&self.caller, Period::number(number, days)?).await?;
        Ok(began.elapsed())
    }

    /// Asks for a file that was made before: the first ones were months.
    async fn find(&self, number: u64, days: u64) -> anyhow::Result<Duration> {
        let period = Period::number(number, days)?;
        let began = Instant::now();
        let export = reporting::ask(&self.caller, period).await?;
        ensure!(export.state() == ExportState::Ready, "it was not there");
        Ok(began.elapsed())
    }
}

impl Contender for Ours<'_> {
    fn name(&self) -> &'static str {
        if self.is_cached {
            "ExportReport, which finds it"
        } else {
            "ExportReport until READY"
        }
    }

    fn round(&mut self) -> anyhow::Result<Sample> {
        let (exports, files, is_cached) = (self.exports, self.files, self.is_cached);
        let place = exports.place;
        let before = place.reports.cpu_us()?;
        let began = Instant::now();
        let made = stream::iter(0..files.count)
            .map(|number| async move {
                if is_cached {
                    exports.find(number, files.days).await
                } else {
                    exports.make(files.days).await
                }
            })
            .buffer_unordered(files.at_once)
            .try_collect::<Vec<_>>();
        let times = place.runtime.block_on(made)?;
        let seconds = began.elapsed().as_secs_f64();
        let used = place.reports.cpu_us()? - before;
        Ok(Sample::from([
            ("ms a file, median", milliseconds(&times)),
            ("files per second", count(files.count) / seconds),
            ("CPU-ms a file, reports", used / 1e3 / count(files.count)),
            ("peak resident MB", place.reports.peak_resident_mb()?),
        ]))
    }
}

impl Contender for Theirs<'_> {
    fn name(&self) -> &'static str {
        "the bare query and the bare put"
    }

    fn round(&mut self) -> anyhow::Result<Sample> {
        let (bare, files) = (self.bare, self.files);
        let made = stream::iter(0..files.count)
            .map(|number| async move { bare.file(Period::number(number, files.days)?).await })
            .buffer_unordered(files.at_once)
            .try_collect::<Vec<Took>>();
        let took = bare.place.runtime.block_on(made)?;
        let times = |of: fn(&Took) -> Duration| took.iter().map(of).collect::<Vec<_>>();
        let all = times(|it| it.query + it.put);
        // Several are under way at once; their deletion is not counted.
        let seconds = all.iter().map(Duration::as_secs_f64).sum::<f64>() / count_of(files.at_once);
        Ok(Sample::from([
            ("ms a file, median", milliseconds(&all)),
            ("of that, the query", milliseconds(&times(|it| it.query))),
            ("of that, the put", milliseconds(&times(|it| it.put))),
            ("files per second", count(files.count) / seconds),
        ]))
    }
}

fn milliseconds(times: &[Duration]) -> f64 {
    median(times.iter().map(|time| time.as_secs_f64() * 1e3).collect())
}

#[allow(clippy::cast_precision_loss)]
fn count(files: u64) -> f64 {
    files as f64
}

#[allow(clippy::cast_precision_loss)]
fn count_of(at_once: usize) -> f64 {
    at_once as f64
}
