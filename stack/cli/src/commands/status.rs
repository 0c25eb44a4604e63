//! `cargo stack status`.

use anyhow::Result;

use crate::{parts::Site, supervisor::Supervisor};

pub(super) fn run(site: &Site) -> Result<()> {
    let mut processes = Supervisor::new(&site.checkout, &site.topology)?.processes()?;
    processes.sort_by_key(|process| std::cmp::Reverse(process.is_running));
    println!(
        "{:<16} {:<10} {:<10} {:>8} {:>8} {:>9}  up",
        "part", "status", "readiness", "restarts", "pid", "memory"
    );
    for process in processes {
        println!(
            "{:<16} {:<10} {:<10} {:>8} {:>8} {:>6} MB  {}",
            process.name,
            process.status.to_lowercase(),
            process.is_ready.to_lowercase(),
            process.restarts,
            process.pid,
            process.mem >> 20,
            process.system_time,
        );
    }
    Ok(())
}
