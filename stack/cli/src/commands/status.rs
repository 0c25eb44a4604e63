//! `cargo stack status`.

mod memory;

use anyhow::Result;

use self::memory::Memory;
use crate::{parts::Site, supervisor::Supervisor};

pub(super) fn run(site: &Site) -> Result<()> {
    let mut processes = Supervisor::new(&site.checkout, &site.topology)?.processes()?;
    processes.sort_by_key(|process| std::cmp::Reverse(process.is_running));
    println!(
        "{:<16} {:<10} {:<10} {:>8} {:>8} {:>9}  up",
        "part", "status", "readiness", "restarts", "pid", "memory"
    );
    let memory = Memory::now();
    for process in processes {
        let bytes = if process.is_running {
            memory.of(process.pid)
        } else {
            0
        };
        println!(
            "{:<16} {:<10} {:<10} {:>8} {:>8} {:>6} MB  {}",
            process.name,
            process.status.to_lowercase(),
            process.is_ready.to_lowercase(),
            process.restarts,
            process.pid,
            bytes >> 20,
            process.system_time,
        );
    }
    Ok(())
}
