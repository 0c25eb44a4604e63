//! `cargo stack restart PART`.

use std::time::Duration;

use anyhow::{Result, bail};

use super::build;
use crate::{
    lock::Lock,
    parts::{self, Site, Stage},
    progress::Progress,
    supervisor::Supervisor,
    templates,
};

const READY_LIMIT: Duration = Duration::from_secs(240);

pub(super) fn run(site: &Site, name: &str) -> Result<()> {
    let part = parts::find(name)?;
    let _lock = Lock::take(&site.topology.directories.state)?;
    let task = Progress::new().task(name);
    if part.stage() >= Stage::Services {
        build::services(site, &task)?;
    }
    templates::write_all(&site.checkout, &site.topology)?;
    let supervisor = Supervisor::new(&site.checkout, &site.topology)?;
    if supervisor.outdated()? {
        bail!("how processes are run has changed since the stack came up: run `cargo stack up`");
    }
    task.step("restarting");
    supervisor.stop_process(name)?;
    part.prepare(site)?;
    supervisor.start_process(name)?;
    supervisor.wait_ready(name, READY_LIMIT)?;
    part.configure(site)?;
    task.done("ready");
    Ok(())
}
