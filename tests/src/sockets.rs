//! What the kernel says of connections on loopback: which a process has, and what lies unread.

use std::collections::HashSet;
use std::fs;

use anyhow::Context;

const ESTABLISHED: &str = "01";

/// A TCP socket, from `/proc/net/tcp`.
struct Socket {
    local_port: u16,
    remote_port: u16,
    /// Bytes that came and were not read.
    unread: u64,
    inode: u64,
}

/// How many connections a process has to a port.
///
/// # Errors
/// When there is no such process.
pub fn connections(pid: u32, port: u16) -> anyhow::Result<usize> {
    Ok(own(pid, port)?.len())
}

/// The most bytes that a process has sent to a port by one connection and that nobody has read.
///
/// # Errors
/// When there is no such process.
pub fn most_unread(pid: u32, port: u16) -> anyhow::Result<u64> {
    let senders = own(pid, port)?;
    let sockets = established()?;
    let unread = sockets
        .iter()
        .filter(|socket| socket.local_port == port && senders.contains(&socket.remote_port))
        .map(|socket| socket.unread);
    Ok(unread.max().unwrap_or_default())
}

/// The ports from which a process is connected to a port.
fn own(pid: u32, port: u16) -> anyhow::Result<HashSet<u16>> {
    let mut own = HashSet::new();
    for file in fs::read_dir(format!("/proc/{pid}/fd"))? {
        // One that is closed meanwhile is none.
        let Ok(target) = fs::read_link(file?.path()) else {
            continue;
        };
        let target = target.to_string_lossy();
        let inode = target.strip_prefix("socket:[");
        own.extend(inode.and_then(|inode| inode.strip_suffix(']')?.parse::<u64>().ok()));
    }
    let sockets = established()?;
    Ok(sockets
        .iter()
        .filter(|socket| socket.remote_port == port && own.contains(&socket.inode))
        .map(|socket| socket.local_port)
        .collect())
}

fn established() -> anyhow::Result<Vec<Socket>> {
    let tables = [
        fs::read_to_string("/proc/net/tcp")?,
        fs::read_to_string("/proc/net/tcp6")?,
    ];
    let lines = tables.iter().flat_map(|table| table.lines().skip(1));
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|columns| columns.get(3) == Some(&ESTABLISHED))
        .map(|columns| socket(&columns).context("a line of /proc/net/tcp"))
        .collect()
}

fn socket(columns: &[&str]) -> Option<Socket> {
    let port = |column: usize| {
        let (_, port) = columns.get(column)?.rsplit_once(':')?;
        u16::from_str_radix(port, 16).ok()
    };
    let (_, unread) = columns.get(4)?.split_once(':')?;
    Some(Socket {
        local_port: port(1)?,
        remote_port: port(2)?,
        unread: u64::from_str_radix(unread, 16).ok()?,
        inode: columns.get(9)?.parse().ok()?,
    })
}
