//! Rounds, medians and ratios. Contenders take turns in each round, so that
//! whatever else the machine does meets all of them.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use anyhow::{Context, ensure};
use serde::Serialize;

/// What one round of one contender measured, by figure; the unit stands in the
/// figure's name.
pub(crate) type Sample = BTreeMap<&'static str, f64>;

/// Something that is measured.
pub(crate) trait Contender {
    /// Its name in the report.
    fn name(&self) -> &'static str;

    /// Measures one round.
    fn round(&mut self) -> anyhow::Result<Sample>;
}

/// The comparisons of one benchmark.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) comparisons: Vec<Comparison>,
}

/// The same work, done by several contenders.
#[derive(Serialize)]
pub(crate) struct Comparison {
    work: &'static str,
    goal: &'static str,
    rounds: usize,
    /// The first is the system, the others are baselines.
    results: Vec<Outcome>,
}

#[derive(Serialize)]
struct Outcome {
    contender: &'static str,
    figures: BTreeMap<&'static str, Figure>,
}

#[derive(Serialize)]
struct Figure {
    median: f64,
    /// The system's median divided by this one's.
    system_ratio: f64,
    rounds: Vec<f64>,
}

/// How much work a round has: what the variable says, or as much as `usual`.
pub(crate) fn size(variable: &'static str, usual: usize) -> anyhow::Result<usize> {
    let size = match std::env::var(variable) {
        Ok(size) => size.parse().context(variable)?,
        Err(_) => usual,
    };
    ensure!(size > 0, "{variable} has to be more than 0");
    Ok(size)
}

/// Lets the contenders, of which the first is the system, take turns. Each has
/// one round before, which is not counted.
pub(crate) fn compare(
    work: &'static str,
    goal: &'static str,
    rounds: usize,
    contenders: &mut [Box<dyn Contender + '_>],
) -> anyhow::Result<Comparison> {
    let mut samples: Vec<Vec<Sample>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..=rounds {
        for (contender, samples) in contenders.iter_mut().zip(&mut samples) {
            eprintln!("{work}, round {round} of {rounds}: {}", contender.name());
            let sample = contender.round()?;
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    let system: BTreeMap<_, _> = medians(&samples[0]).collect();
    let results = contenders
        .iter()
        .zip(&samples)
        .map(|(contender, samples)| outcome(contender.name(), samples, &system))
        .collect();
    Ok(Comparison {
        work,
        goal,
        rounds,
        results,
    })
}

fn outcome(
    contender: &'static str,
    samples: &[Sample],
    system: &BTreeMap<&'static str, f64>,
) -> Outcome {
    let figure = |(name, median): (&'static str, f64)| {
        let rounds = values(samples, name);
        let system_ratio = system.get(name).map_or(f64::NAN, |system| system / median);
        (
            name,
            Figure {
                median,
                system_ratio,
                rounds,
            },
        )
    };
    Outcome {
        contender,
        figures: medians(samples).map(figure).collect(),
    }
}

fn medians(samples: &[Sample]) -> impl Iterator<Item = (&'static str, f64)> {
    let names = samples.first().into_iter().flat_map(Sample::keys);
    names.map(|name| (*name, median(values(samples, name))))
}

fn values(samples: &[Sample], name: &str) -> Vec<f64> {
    samples
        .iter()
        .filter_map(|sample| sample.get(name).copied())
        .collect()
}

/// The middle one, or what lies between the middle two.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

impl Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.comparisons
            .iter()
            .try_for_each(|comparison| comparison.fmt(formatter))
    }
}

impl Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "\n{} (medians of {} rounds)",
            self.work, self.rounds
        )?;
        writeln!(formatter, "goal: {}", self.goal)?;
        for outcome in &self.results {
            writeln!(formatter, "  {}", outcome.contender)?;
            for (name, figure) in &outcome.figures {
                let Figure {
                    median,
                    system_ratio,
                    ..
                } = figure;
                write!(formatter, "    {name:<32} {median:>12.1}")?;
                // What one of the two does not have, or has none of, cannot be compared.
                if system_ratio.is_finite() {
                    write!(formatter, "   system ÷ this {system_ratio:>6.2}")?;
                }
                writeln!(formatter)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }
}
