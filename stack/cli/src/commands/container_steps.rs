//! Steps of the Compose stack's start, each a container that runs once: what
//! `up` does between the starts of processes.

use anyhow::Result;

use super::{seed, up::load};
use crate::{
    parts::{self, Site},
    progress::Progress,
};

/// Brings ready parts into their declared state.
pub(super) fn configure(site: &Site, names: &[String]) -> Result<()> {
    for name in names {
        parts::find(name)?.configure(site)?;
        println!("{name} is as declared");
    }
    Ok(())
}

/// Waits for the seeded CRM rows and loads the seeded days.
pub(super) fn load(site: &Site) -> Result<()> {
    let task = Progress::new().task("datamart");
    let plan = seed::default(site, &task)?;
    load::wait_for_changes(site, &task)?;
    load::load_days(site, &plan, &task)?;
    println!("the seeded days are loaded: {plan}");
    Ok(())
}
