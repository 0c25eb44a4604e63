//! The processes under measurement: started for a benchmark, ended with it, and
//! what they cost according to the kernel.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// The commands by which this program becomes one of its own processes.
pub(crate) const GATEWAY: &str = "serve-gateway";
pub(crate) const BACKEND: &str = "serve-backend";
pub(crate) const TONIC_WEB: &str = "serve-tonic-web";

/// Ticks a second in `/proc/<pid>/stat` (`USER_HZ`, the same on every Linux).
const TICKS_PER_SECOND: f64 = 100.0;
const START_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

/// A running process; killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts a program and waits until its address takes connections.
    pub(crate) fn start(command: &mut Command, address: SocketAddr) -> anyhow::Result<Self> {
        ensure!(
            TcpStream::connect(address).is_err(),
            "something listens on {address} already"
        );
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("starting {command:?}"))?;
        let mut process = Self { child, address };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = process.child.try_wait()?;
            ensure!(ended.is_none(), "{command:?} ended: {ended:?}");
            ensure!(began.elapsed() < START_LIMIT, "{command:?} does not listen");
            thread::sleep(POLL);
        }
        Ok(process)
    }

    /// This program as one of its own processes.
    pub(crate) fn of_our_own(
        name: &str,
        address: SocketAddr,
        fields: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg(name)
            .env("BIONICPRO_LISTEN", address.to_string());
        command.envs(fields.iter().map(|(name, value)| (name, value)));
        Self::start(&mut command, address)
    }

    /// Asks it to end by itself (SIGTERM) and waits for that: it has processes of its own to end.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").arg(self.pid().to_string()).status()?;
        ensure!(asked.success(), "no signal could be sent");
        self.child.wait()?;
        Ok(())
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The CPU time that it has used, in microseconds.
    pub(crate) fn cpu_us(&self) -> anyhow::Result<f64> {
        cpu_us(self.child.id())
    }

    /// Its resident memory in MB.
    pub(crate) fn resident_mb(&self) -> anyhow::Result<f64> {
        self.memory_mb("VmRSS:")
    }

    /// The most resident memory that it has had, in MB.
    pub(crate) fn peak_resident_mb(&self) -> anyhow::Result<f64> {
        self.memory_mb("VmHWM:")
    }

    fn memory_mb(&self, field: &str) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        Ok(kilobytes
            .context("no such field in status")?
            .parse::<f64>()?
            / 1024.0)
    }
}

/// The CPU time that a process has used, in microseconds.
pub(crate) fn cpu_us(pid: u32) -> anyhow::Result<f64> {
    // utime and stime.
    ticks(pid, 11)
}

/// The CPU time that those of its children have used that have ended, in microseconds.
pub(crate) fn ended_children_cpu_us(pid: u32) -> anyhow::Result<f64> {
    // cutime and cstime.
    ticks(pid, 13)
}

/// Two times that lie side by side in `/proc/<pid>/stat`, in microseconds.
fn ticks(pid: u32, first: usize) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; utime is the 12th field after it, the others follow
    // (proc_pid_stat(5)).
    let (_, fields) = stat.rsplit_once(')').context("stat has no name")?;
    let ticks = fields.split_whitespace().skip(first).take(2);
    let ticks = ticks.map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS_PER_SECOND * 1e6)
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended by itself, or ends now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
