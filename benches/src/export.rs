//! A patient's report as a file: from the request until it can be downloaded, against the bare
//! statement that reads the same days from ClickHouse, as CSV, and the bare put of what it answers.
//! Ours reads the person's prostheses, visits and watermarks, too, finds out whether there is such a
//! file already, keeps what it shows in the index, and puts it under a name of its content.

mod bare;
mod ways;

use crate::reporting::Reporting;
use crate::rounds::{self, Contender, Report};

use self::bare::Bare;
use self::ways::{Exports, Ours, Theirs};

const ROUNDS: usize = 5;
/// Lengths of periods, in days.
const MONTH: u64 = 31;
const YEAR: u64 = 365;

/// The files of a round.
#[derive(Clone, Copy)]
struct Files {
    days: u64,
    count: u64,
    /// How many are asked for at once.
    at_once: usize,
}

/// What is done in a comparison, and how fast it has to be.
struct Work {
    name: &'static str,
    goal: &'static str,
    files: Files,
    /// Whether ours asks for what was made before.
    is_cached: bool,
}

const WORK: [Work; 4] = [
    Work {
        name: "a new file of a month",
        goal: "none is set: a person waits for it",
        files: files(MONTH, 10, 1),
        is_cached: false,
    },
    Work {
        name: "a new file of a year",
        goal: "none is set: the datamart has a partition a day",
        files: files(YEAR, 3, 1),
        is_cached: false,
    },
    Work {
        name: "new files of a month, 8 asked for at once",
        goal: "none is set: the reports are read at once, four files are made at a time",
        files: files(MONTH, 24, 8),
        is_cached: false,
    },
    Work {
        name: "a file of a month that is there already",
        goal: "none is set: the report is read, nothing is rendered or put",
        files: files(MONTH, 10, 1),
        is_cached: true,
    },
];

const fn files(days: u64, count: u64, at_once: usize) -> Files {
    Files {
        days,
        count,
        at_once,
    }
}

/// Runs the benchmark.
pub(crate) fn run() -> anyhow::Result<Report> {
    let place = Reporting::start()?;
    let exports = Exports::new(&place)?;
    let bare = Bare::new(&place);
    let comparisons = WORK.iter().map(|work| {
        let ours = Ours {
            exports: &exports,
            files: work.files,
            is_cached: work.is_cached,
        };
        let theirs = Theirs {
            bare: &bare,
            files: work.files,
        };
        let mut contenders: [Box<dyn Contender + '_>; 2] = [Box::new(ours), Box::new(theirs)];
        rounds::compare(work.name, work.goal, ROUNDS, &mut contenders)
    });
    Ok(Report {
        comparisons: comparisons.collect::<Result<_, _>>()?,
    })
}
