//! Counts what passed and failed, from what test programs print.

use std::{
    iter::Sum,
    ops::{Add, AddAssign},
};

/// How many tests or checks passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

/// How a program tells what it counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// The program is one check: its exit status says it.
    ExitStatus,
    /// `test result: ok. 3 passed; 0 failed; …`, once a test binary.
    CargoTest,
    /// ` Tests  2 failed | 3 passed (5)`
    Vitest,
    /// `  3 passed (1.2s)` and `  2 failed`, on lines of their own.
    Playwright,
}

impl Tally {
    /// One failure that is told now: what could not even begin.
    pub(super) fn broken(what: &str, error: &anyhow::Error) -> Self {
        println!("{what} failed: {error:#}");
        Self {
            passed: 0,
            failed: 1,
        }
    }

    /// One check.
    pub(super) fn one(success: bool) -> Self {
        Self {
            passed: u64::from(success),
            failed: u64::from(!success),
        }
    }
}

impl Counting {
    /// What one line of output adds.
    pub(super) fn line(self, line: &str) -> Tally {
        let line = line.trim();
        match self {
            Self::ExitStatus => Tally::default(),
            Self::CargoTest if line.starts_with("test result:") => numbers(line),
            Self::Vitest if line.starts_with("Tests ") => numbers(line),
            Self::Playwright if line.starts_with(|first: char| first.is_ascii_digit()) => {
                playwright(line)
            }
            Self::CargoTest | Self::Vitest | Self::Playwright => Tally::default(),
        }
    }
}

/// Sums the numbers that stand before `passed` and `failed`.
fn numbers(line: &str) -> Tally {
    let words: Vec<&str> = line.split_whitespace().collect();
    let before = |what: &str| {
        let pairs = words
            .windows(2)
            .filter(|pair| pair[1].trim_end_matches([';', ',']) == what);
        pairs.filter_map(|pair| pair[0].parse::<u64>().ok()).sum()
    };
    Tally {
        passed: before("passed"),
        failed: before("failed"),
    }
}

/// A test that passed only when it was repeated, or never ran, did not pass.
fn playwright(line: &str) -> Tally {
    let (number, what) = line.split_once(' ').unwrap_or_default();
    let number = number.parse().unwrap_or(0);
    match what.split('(').next().unwrap_or_default().trim() {
        "passed" => Tally {
            passed: number,
            failed: 0,
        },
        "failed" | "flaky" | "did not run" | "interrupted" => Tally {
            passed: 0,
            failed: number,
        },
        _ => Tally::default(),
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64) -> Tally {
        Tally { passed, failed }
    }

    #[test]
    fn cargo_test_is_counted_by_its_result_lines() {
        let line =
            "test result: FAILED. 62 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out";
        assert_eq!(Counting::CargoTest.line(line), tally(62, 2));
        assert_eq!(
            Counting::CargoTest.line("test lock::tests::two_passed ... ok"),
            tally(0, 0)
        );
    }

    #[test]
    fn vitest_is_counted_by_its_summary_of_tests() {
        assert_eq!(
            Counting::Vitest.line("      Tests  2 failed | 31 passed (33)"),
            tally(31, 2)
        );
        assert_eq!(
            Counting::Vitest.line(" Test Files  9 passed (9)"),
            tally(0, 0)
        );
    }

    #[test]
    fn playwright_counts_flaky_and_unrun_tests_as_failed() {
        let summary = [
            "  2 failed",
            "  1 flaky",
            "  3 did not run",
            "  12 passed (40.1s)",
            "  ok 3 [chromium] › passed",
        ];
        let total: Tally = summary
            .iter()
            .map(|line| Counting::Playwright.line(line))
            .sum();
        assert_eq!(total, tally(12, 6));
    }
}
