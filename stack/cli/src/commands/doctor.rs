//! `cargo stack doctor`.

use anyhow::Result;

use super::up;
use crate::{
    cli, packages,
    parts::{Site, postgres},
    preflight::{self, Plan},
    supervisor::Supervisor,
};

pub(super) fn run(site: &Site) -> Result<()> {
    let starting = Supervisor::new(&site.checkout, &site.topology)?
        .not_running(&up::select(&cli::Up::default())?)?;
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
    for data in postgres::abandoned() {
        println!(
            "{} holds data of {}, which is gone: remove it if nobody needs it",
            data.folder.display(),
            data.checkout.display()
        );
    }
    Ok(())
}
