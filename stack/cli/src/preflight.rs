//! Looks for everything that would stop the stack from starting and names all
//! of it at once, before anything is started.

mod listeners;
mod tools;

use std::net::TcpListener;

use anyhow::{Result, bail};

use crate::{
    checkout::Checkout,
    packages,
    parts::Part,
    topology::{Port, Topology},
};

/// Where every native part listens.
const LOOPBACK: std::net::Ipv4Addr = std::net::Ipv4Addr::LOCALHOST;

const GIB: u64 = 1 << 30;
/// Build output and data in the checkout.
const CHECKOUT_DISK: u64 = 6 * GIB;
/// Provisioned parts.
const CACHE_DISK: u64 = 3 * GIB;
/// What all processes of a stack take together, with room for a build.
const MEMORY: u64 = 3 * GIB;

/// Something that has to be put right first: what, and how.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem(pub String);

/// What is to be looked at.
pub(crate) struct Plan<'a> {
    /// The checkout.
    pub(crate) checkout: &'a Checkout,
    /// The stack.
    pub(crate) topology: &'a Topology,
    /// Parts that are to be started and do not run yet: their ports must be free.
    pub(crate) starting: &'a [&'static dyn Part],
}

/// Looks at everything.
pub(crate) fn problems(plan: &Plan<'_>) -> Vec<Problem> {
    let mut problems = tools::problems();
    problems.extend(
        packages::check(plan.checkout)
            .err()
            .map(|error| Problem(format!("{error:#}"))),
    );
    let ports = plan
        .starting
        .iter()
        .flat_map(|part| part.ports(plan.topology));
    problems.extend(ports.filter_map(port_problem));
    problems.extend(disk_problem(
        "the checkout",
        plan.checkout.root(),
        CHECKOUT_DISK,
    ));
    problems.extend(disk_problem("the cache", plan.checkout.cache(), CACHE_DISK));
    if !plan.starting.is_empty() {
        problems.extend(memory_problem());
    }
    problems
}

/// Stops with all problems in one message, if there are any.
///
/// # Errors
/// When there are some.
pub(crate) fn check(plan: &Plan<'_>) -> Result<()> {
    let problems = problems(plan);
    if !problems.is_empty() {
        bail!("{}", report(&problems));
    }
    Ok(())
}

/// One message that names every problem.
pub(crate) fn report(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("  - {}", problem.0))
        .collect();
    format!("nothing was started, because:\n{}", lines.join("\n"))
}

fn port_problem(port: Port) -> Option<Problem> {
    TcpListener::bind((LOOPBACK, port.number)).err().map(|_| {
        let holder = listeners::holder(port.number).unwrap_or_else(|| "another program".to_owned());
        Problem(format!(
            "port {} ({}) is taken by {holder}",
            port.number, port.purpose
        ))
    })
}

fn disk_problem(what: &str, folder: &std::path::Path, needed: u64) -> Option<Problem> {
    let existing = folder.ancestors().find(|ancestor| ancestor.exists())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    let free = disk.f_bavail * disk.f_frsize;
    (free < needed).then(|| {
        Problem(format!(
            "{what} ({}) has {} free, it needs {}",
            folder.display(),
            gib(free),
            gib(needed)
        ))
    })
}

fn memory_problem() -> Option<Problem> {
    let available = available_memory(&std::fs::read_to_string("/proc/meminfo").ok()?)?;
    (available < MEMORY).then(|| {
        Problem(format!(
            "{} of memory are available, the stack needs {}",
            gib(available),
            gib(MEMORY)
        ))
    })
}

fn available_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn gib(bytes: u64) -> String {
    format!("{}.{} GiB", bytes / GIB, bytes % GIB * 10 / GIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_names_every_problem() {
        let report = report(&[
            Problem("Go is missing".into()),
            Problem("port 1 is taken".into()),
        ]);
        assert!(report.contains("Go is missing") && report.contains("port 1 is taken"));
    }

    #[test]
    fn a_taken_port_is_reported_with_its_purpose_and_its_holder() {
        let listener = TcpListener::bind((LOOPBACK, 0)).expect("a free port");
        let number = listener.local_addr().expect("bound").port();
        let problem = port_problem(Port {
            number,
            purpose: "postgres",
        })
        .expect("it is taken");
        let pid = std::process::id().to_string();
        assert!(
            problem.0.contains("(postgres)") && problem.0.contains(&pid),
            "{}",
            problem.0
        );
    }

    #[test]
    fn a_disk_that_is_too_small_is_reported_with_both_sizes() {
        let problem = disk_problem(
            "the cache",
            std::path::Path::new("/no/such/folder"),
            u64::MAX,
        )
        .expect("too small");
        assert!(problem.0.contains("/no/such/folder"), "{}", problem.0);
    }

    #[test]
    fn available_memory_is_read_in_kibibytes() {
        assert_eq!(
            available_memory("MemTotal: 9 kB\nMemAvailable:    2048 kB\n"),
            Some(2 << 20)
        );
    }
}
