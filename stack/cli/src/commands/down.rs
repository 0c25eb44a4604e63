//! `cargo stack down` and `cargo stack reset`.

use std::fs;

use anyhow::{Context, Result};

use crate::{lock::Lock, parts::Site, supervisor::Supervisor};

pub(super) fn run(site: &Site) -> Result<()> {
    let _lock = Lock::take(&site.topology.directories.state)?;
    stop(site)
}

/// Stops everything and removes the stack's data, logs and rendered files.
pub(super) fn reset(site: &Site) -> Result<()> {
    let state = &site.topology.directories.state;
    let _lock = Lock::take(state)?;
    stop(site)?;
    let data = &site.topology.directories.postgres_data;
    if data.exists() {
        fs::remove_dir_all(data)
            .with_context(|| format!("{} cannot be removed", data.display()))?;
    }
    for entry in fs::read_dir(state)? {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(&path)
                .with_context(|| format!("{} cannot be removed", path.display()))?;
        }
    }
    Ok(())
}

fn stop(site: &Site) -> Result<()> {
    let supervisor = Supervisor::new(&site.checkout, &site.topology)?;
    if !supervisor.running()? {
        eprintln!("the {} stack is not up", site.topology.profile.name());
        return Ok(());
    }
    supervisor.down()?;
    eprintln!("the {} stack is down", site.topology.profile.name());
    Ok(())
}
