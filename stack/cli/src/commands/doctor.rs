//! `cargo stack doctor`.

use anyhow::Result;

use crate::{
    packages,
    parts::{self, Part, Site},
    preflight::{self, Plan},
    supervisor::Supervisor,
};

pub(super) fn run(site: &Site) -> Result<()> {
    let running = Supervisor::new(&site.checkout, &site.topology)?
        .processes()
        .unwrap_or_default();
    let starting: Vec<&'static dyn Part> = parts::ALL
        .iter()
        .copied()
        .filter(|part| {
            !running
                .iter()
                .any(|process| process.name == part.name() && process.is_running)
        })
        .collect();
    preflight::check(&Plan {
        checkout: &site.checkout,
        topology: &site.topology,
        starting: &starting,
    })?;
    println!("nothing stands in the way of `cargo stack up`");
    let missing = packages::missing(&site.checkout)?;
    if !missing.is_empty() {
        println!("it will install from Debian: {}", missing.join(" "));
    }
    Ok(())
}
