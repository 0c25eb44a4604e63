//! What a load has seen, by what happened at the time.

use std::collections::{BTreeMap, BTreeSet};

use super::Outcome;

/// What the load has seen while one thing happened.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Calls that were answered, after however many attempts.
    pub answered: u32,
    /// Of them, those that were answered at once.
    pub at_once: u32,
    /// Attempts that were told to come again, by the part that was away.
    pub unavailable: BTreeMap<String, u32>,
    /// Attempts without an answer.
    pub disconnected: u32,
    /// Calls that did not begin in time: as many as there may be were under way.
    pub held_back: u32,
    /// What went wrong.
    pub wrong: Vec<String>,
}

impl Tally {
    /// Attempts that failed by what befell a process, the gateway or one behind it: what a page that
    /// repeats nothing would have shown.
    #[must_use]
    pub fn failed_by(&self, process: &str) -> u32 {
        match process {
            "gateway" => self.disconnected,
            behind => self.unavailable.get(behind).copied().unwrap_or_default(),
        }
    }
}

/// Counts attempts under what happens when they end, and knows which calls have not ended.
#[derive(Default)]
pub(super) struct Seen {
    now: &'static str,
    begun: u64,
    under_way: BTreeSet<u64>,
    tallies: BTreeMap<&'static str, Tally>,
}

impl Seen {
    pub(super) fn during(&mut self, what: &'static str) {
        self.now = what;
    }

    pub(super) fn tally(&self, what: &str) -> Tally {
        self.tallies.get(what).cloned().unwrap_or_default()
    }

    /// Calls that have begun.
    pub(super) fn begun(&self) -> u64 {
        self.begun
    }

    /// Whether of the first calls, so many, each has ended.
    pub(super) fn all_ended_before(&self, number: u64) -> bool {
        self.under_way.first().is_none_or(|first| *first >= number)
    }

    /// A call begins; its number.
    pub(super) fn begin(&mut self) -> u64 {
        let number = self.begun;
        self.begun += 1;
        self.under_way.insert(number);
        number
    }

    pub(super) fn end(&mut self, number: u64) {
        self.under_way.remove(&number);
    }

    pub(super) fn hold_back(&mut self) {
        self.now().held_back += 1;
    }

    /// An attempt has ended, the first of its call or a further one.
    pub(super) fn count(&mut self, outcome: &Outcome, attempt: u32) {
        let tally = self.now();
        match outcome {
            Outcome::Answered => {
                tally.answered += 1;
                tally.at_once += u32::from(attempt == 1);
            }
            Outcome::Unavailable(part, _) => {
                *tally.unavailable.entry(part.clone()).or_default() += 1;
            }
            Outcome::Disconnected => tally.disconnected += 1,
            Outcome::Wrong(what) => tally.wrong.push(what.clone()),
        }
    }

    fn now(&mut self) -> &mut Tally {
        self.tallies.entry(self.now).or_default()
    }
}
