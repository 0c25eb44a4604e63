//! `cargo stack test [SUITE…]`: runs suites in order, lets their output pass,
//! and closes with one line that sums them up.

mod checks;
mod tally;

use std::{process::ExitCode, time::Duration};

use anyhow::Result;

use self::tally::Tally;
use super::{down, up};
use crate::{
    checkout::{Checkout, Profile},
    cli::{self, Suite},
    parts::{self, Site},
    supervisor::Supervisor,
    topology::Topology,
};

/// How long a part that joins by itself may be built: all of its packages, on a busy machine.
const JOINING_LIMIT: Duration = Duration::from_secs(1800);

const ALL: [Suite; 13] = [
    Suite::Lint,
    Suite::Unit,
    Suite::Frontend,
    Suite::Compose,
    Suite::E2e,
    Suite::Ingest,
    Suite::Exports,
    Suite::Minio,
    Suite::Traces,
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

/// Whether what joins a stack later has to be there.
fn needs_what_joins(suite: Suite) -> bool {
    matches!(
        suite,
        Suite::Exports | Suite::Minio | Suite::Traces | Suite::Browser | Suite::Faults
    )
}

/// Waits for the parts that join by themselves, as long as their build may take.
fn wait_for_what_joins(site: &Site) -> Result<()> {
    let supervisor = Supervisor::new(&site.checkout, &site.topology)?;
    let mut joining = parts::ALL.iter().filter(|part| part.joins());
    joining.try_for_each(|part| supervisor.wait_ready(part.name(), JOINING_LIMIT))
}

/// Brings the test stack up with fresh data, and down whatever happens in it.
fn on_a_fresh_stack(site: &Site, suites: &[Suite], options: &cli::Up) -> Tally {
    let mut tally = Tally::default();
    let up = down::reset(site).and_then(|()| up::run(site, options));
    match up {
        Ok(()) => {
            for suite in suites.iter().filter(|suite| needs_stack(**suite)) {
                if needs_what_joins(*suite)
                    && let Err(error) = wait_for_what_joins(site)
                {
                    tally += Tally::broken("what joins the test stack", &error);
                }
                tally += match suite {
                    Suite::Minio => on_minio(site, options),
                    _ => run_suite(*suite, site),
                };
            }
        }
        Err(error) => tally += Tally::broken("the test stack", &error),
    }
    if let Err(error) = down::run(site) {
        tally += Tally::broken("the test stack's end", &error);
    }
    tally
}

/// Runs the suite of exports once more on the running stack with the other file store, which knows
/// none of the files that were made before, and gives the stack its own one back.
fn on_minio(site: &Site, options: &cli::Up) -> Tally {
    let minio = cli::Up {
        with: vec!["minio".to_owned()],
        ..cli::Up::default()
    };
    let mut tally = match up::run(site, &minio) {
        Ok(()) => run_suite(Suite::Minio, site),
        Err(error) => Tally::broken("the test stack on MinIO", &error),
    };
    if let Err(error) = up::run(site, options) {
        tally += Tally::broken("the test stack after MinIO", &error);
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
