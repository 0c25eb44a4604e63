//! `cargo stack logs PART`.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::parts::Site;

const LINES: &str = "200";

pub(super) fn run(site: &Site, part: &str, follow: bool) -> Result<()> {
    let log = site.topology.log(part);
    if !log.is_file() {
        bail!("there is no log of {part:?} at {}", log.display());
    }
    let mut tail = Command::new("tail");
    tail.args(["-n", LINES])
        .args(follow.then_some("-F"))
        .arg(log);
    tail.status().context("tail could not be started")?;
    Ok(())
}
