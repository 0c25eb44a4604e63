//! `cargo stack seed`.

use anyhow::Result;
use chrono::{Days, Utc};

use crate::{
    cli,
    lock::Lock,
    parts::Site,
    progress::Task,
    seed::{self, Outcome, Plan},
};

/// What a stack is seeded with when nothing else is asked for.
const SEED: u64 = 1;

pub(super) fn run(site: &Site, options: &cli::Seed) -> Result<()> {
    let _lock = Lock::take(&site.topology.directories.state)?;
    match seed::run(&site.topology, plan(site, options), options.replace)? {
        Outcome::Seeded(plan) => {
            println!("seeded: {plan}; the mart follows when the daily load has run for these days");
        }
        Outcome::Present(plan) => println!("seeded already: {plan}; --replace seeds anew"),
    }
    Ok(())
}

/// Seeds a starting stack as its topology says, unless it is seeded, and
/// answers what it holds.
pub(super) fn default(site: &Site, task: &Task) -> Result<Plan> {
    task.step("making customers and readings");
    let planned = plan(site, &cli::Seed::default());
    match seed::run(&site.topology, planned, false)? {
        Outcome::Seeded(plan) | Outcome::Present(plan) => Ok(plan),
    }
}

fn plan(site: &Site, options: &cli::Seed) -> Plan {
    let default = site.topology.seed;
    Plan {
        seed: options.seed.unwrap_or(SEED),
        customers: options.customers.unwrap_or(default.customers),
        days: options.days.unwrap_or(default.days),
        // A day that is not over would be outdated a minute after its load.
        last_day: options
            .until
            .unwrap_or_else(|| Utc::now().date_naive() - Days::new(1)),
    }
}
