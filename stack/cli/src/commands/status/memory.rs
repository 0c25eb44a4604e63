//! How much memory a part takes: its process with all that it started, each
//! shared page counted once among those who share it.

use std::collections::HashMap;

use procfs::process::{Process, all_processes};

/// The processes of the machine, by who started them.
pub(super) struct Memory {
    children: HashMap<i32, Vec<i32>>,
}

impl Memory {
    /// As it is now.
    pub(super) fn now() -> Self {
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        for process in all_processes().into_iter().flatten().flatten() {
            if let Ok(stat) = process.stat() {
                children.entry(stat.ppid).or_default().push(stat.pid);
            }
        }
        Self { children }
    }

    /// The bytes of `pid` and its descendants: proportional set sizes, and the
    /// resident size of a process whose maps this user may not see.
    pub(super) fn of(&self, pid: i32) -> u64 {
        let mut found = vec![pid];
        let mut next = 0;
        while let Some(parent) = found.get(next) {
            found.extend(self.children.get(parent).into_iter().flatten());
            next += 1;
        }
        found.into_iter().filter_map(bytes).sum()
    }
}

fn bytes(pid: i32) -> Option<u64> {
    let process = Process::new(pid).ok()?;
    let shared_out = || {
        let maps = process.smaps_rollup().ok()?.memory_map_rollup;
        maps.0.first()?.extension.map.get("Pss").copied()
    };
    let resident = || Some(process.status().ok()?.vmrss? * 1024);
    shared_out().or_else(resident)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn what_a_shell_started_counts_as_the_shell_s() {
        let mut shell = Command::new("sh")
            .args(["-c", "tail -f /dev/null & echo $!; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let output = shell.stdout.as_mut().expect("piped");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)
            .expect("readable");
        let child: i32 = line.trim().parse().expect("a process id");

        let memory = Memory::now();
        let pid = i32::try_from(shell.id()).expect("a process id");
        let (whole, alone) = (memory.of(pid), bytes(pid).expect("it runs"));

        let child = rustix::process::Pid::from_raw(child).expect("a process id");
        let _ = rustix::process::kill_process(child, rustix::process::Signal::KILL);
        shell.wait().expect("it ends");
        assert!(whole > alone, "{whole} {alone}");
    }

    #[test]
    fn a_process_that_is_gone_takes_nothing() {
        assert_eq!(Memory::now().of(i32::MAX), 0);
    }
}
