//! nginx with the stack's configuration on other ports, and with three servers beside the CDN.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use bionicpro_tests::stack;

use crate::process::{self, Process};
use crate::system::Port;

/// A running nginx.
pub(super) struct Nginx(Process);

impl Nginx {
    /// Starts it, with a file for a path.
    pub(super) fn start(path: &str, file: &[u8]) -> anyhow::Result<Self> {
        let folder = stack().directories.state.join("benches/nginx");
        // What an earlier run left: its cache knows other files.
        let _ = fs::remove_dir_all(&folder);
        let pages = folder.join("static");
        let place = pages.join(path.trim_start_matches('/'));
        fs::create_dir_all(place.parent().context("a path has a folder")?)?;
        fs::write(&place, file)?;
        let config = folder.join("nginx.conf");
        fs::write(&config, configuration(&folder, &pages)?)?;
        let mut command = Command::new(&stack().nginx.program);
        command.arg("-p").arg(&folder).args(["-e", "stderr", "-c"]);
        let process = Process::start(command.arg(config), Port::Nginx.address())?;
        Ok(Self(process))
    }

    /// The CPU time of its workers, in microseconds.
    pub(super) fn cpu_us(&self) -> anyhow::Result<f64> {
        let pid = self.0.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        let pids = children.split_whitespace().map(str::parse::<u32>);
        pids.map(|pid| process::cpu_us(pid?)).sum()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Killed, it would leave its workers behind.
        let _ = self.0.end();
    }
}

/// The stack's configuration with other addresses and folders, and the servers of servers.conf.
fn configuration(folder: &Path, pages: &Path) -> anyhow::Result<String> {
    let (nginx, gateway) = (&stack().nginx, &stack().gateway);
    let own = fs::read_to_string(stack().directories.state.join("nginx/nginx.conf"))?;
    let text = |path: &Path| path.display().to_string();
    let changes = [
        (text(&nginx.access_log), text(&folder.join("access.log"))),
        (text(&nginx.data), text(folder)),
        (nginx.listen.clone(), Port::Nginx.address().to_string()),
        (
            gateway.downloads_address.clone(),
            Port::Downloads.address().to_string(),
        ),
    ];
    let mut configuration = own;
    for (from, to) in changes {
        ensure!(configuration.contains(&from), "nginx.conf has no {from}");
        configuration = configuration.replace(&from, &to);
    }
    let (http, _) = configuration
        .rsplit_once('}')
        .context("nginx.conf has no end")?;
    let servers = include_str!("servers.conf")
        .replace("{static}", &text(pages))
        .replace("{checked-static}", &Port::NginxStatic.address().to_string())
        .replace(
            "{unchecked-static}",
            &Port::NginxUncheckedStatic.address().to_string(),
        )
        .replace(
            "{unchecked-cached}",
            &Port::NginxUncheckedCached.address().to_string(),
        );
    Ok(format!("{http}{servers}}}\n"))
}
