//! `cargo stack test [SUITE…]`: runs suites in order, lets their output pass,
//! and closes with one line that sums them up.

mod checks;
mod tally;

use std::process::ExitCode;

use anyhow::Result;

use self::tally::Tally;
use super::{down, up};
use crate::{
    checkout::{Checkout, Profile},
    cli::{self, Suite},
    parts::Site,
    topology::Topology,
};

const ALL: [Suite; 11] = [
    Suite::Lint,
    Suite::Unit,
    Suite::Frontend,
    Suite::Compose,
    Suite::E2e,
    Suite::Ingest,
    Suite::Exports,
    Suite::Browser,
    Suite::Faults,
    Suite::Stack,
    Suite::Readme,
];

pub(super) fn run(checkout: &Checkout, asked: &[Suite], with: Vec<String>) -> Result<ExitCode> {
    let topology = Topology::new(checkout, Profile::Test)?;
    let site = Site {
        checkout: checkout.clone(),
        topology,
    };
    let suites = ordered(asked);
    let mut tally = Tally::default();
    for suite in suites.iter().filter(|suite| !needs_stack(**suite)) {
        tally += run_suite(*suite, &site);
    }
    if suites.iter().any(|suite| needs_stack(*suite)) {
        let options = cli::Up {
            with,
            ..cli::Up::default()
        };
        tally += on_a_fresh_stack(&site, &suites, &options);
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(if tally.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The suites to run, each once and in their order.
fn ordered(asked: &[Suite]) -> Vec<Suite> {
    ALL.into_iter()
        .filter(|suite| asked.is_empty() || asked.contains(suite))
        .collect()
}

fn needs_stack(suite: Suite) -> bool {
    suite >= Suite::E2e
}

/// Brings the test stack up with fresh data, and down whatever happens in it.
fn on_a_fresh_stack(site: &Site, suites: &[Suite], options: &cli::Up) -> Tally {
    let mut tally = Tally::default();
    let up = down::reset(site).and_then(|()| up::run(site, options));
    match up {
        Ok(()) => {
            for suite in suites.iter().filter(|suite| needs_stack(**suite)) {
                tally += run_suite(*suite, site);
            }
        }
        Err(error) => tally += Tally::broken("the test stack", &error),
    }
    if let Err(error) = down::run(site) {
        tally += Tally::broken("the test stack's end", &error);
    }
    tally
}

fn run_suite(suite: Suite, site: &Site) -> Tally {
    println!("\n== {} ==", checks::title(suite));
    let tally = match checks::of(suite, site) {
        Ok(checks) => checks
            .into_iter()
            .map(|check| check.run(site.checkout.root()))
            .sum(),
        Err(error) => Tally::broken(checks::title(suite), &error),
    };
    println!(
        "== {}: {} passed, {} failed ==",
        checks::title(suite),
        tally.passed,
        tally.failed
    );
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_names_every_suite_runs() {
        assert_eq!(ordered(&[]), ALL);
    }

    #[test]
    fn named_suites_run_once_and_in_their_order() {
        assert_eq!(
            ordered(&[Suite::Unit, Suite::Lint, Suite::Unit]),
            [Suite::Lint, Suite::Unit]
        );
    }
}
