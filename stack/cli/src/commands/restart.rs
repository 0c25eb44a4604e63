//! `cargo stack restart PART`.

use std::time::Duration;

use anyhow::Result;

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
    task.step("restarting");
    templates::render_all(&site.checkout, &site.topology)?;
    part.prepare(site)?;
    let supervisor = Supervisor::new(&site.checkout, &site.topology)?;
    supervisor.start()?;
    supervisor.restart_process(name)?;
    supervisor.wait_ready(name, READY_LIMIT)?;
    part.configure(site)?;
    task.done("ready");
    Ok(())
}
