//! `cargo stack provision PART`: what a process that joins later does first, see
//! `Part::joins`. Nobody else needs to call it.

use anyhow::Result;

use crate::parts::{self, Site};

pub(super) fn run(site: &Site, name: &str) -> Result<()> {
    let Some(recipe) = parts::find(name)?.recipe() else {
        return Ok(());
    };
    let provisioned = recipe.provision(&site.checkout, &|step| eprintln!("{name}: {step}"))?;
    eprintln!("{name}: {}", provisioned.shown());
    Ok(())
}
