//! Debian packages: which are missing, and their installation by apt-get with
//! the autostart of their services held back.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::{cache, checkout::Checkout, exec, progress::Task};

/// Asked by Debian's maintainer scripts before they start a service.
const POLICY: &str = "/usr/sbin/policy-rc.d";
const SAVED_POLICY: &str = "/usr/sbin/policy-rc.d.before-bionicpro";
const OUR_POLICY: &str =
    "#!/bin/sh\n# Put here by `cargo stack` while it installs packages.\nexit 101\n";

/// Packages of `stack/debian-packages.txt` that are not installed.
///
/// # Errors
/// When the list cannot be read or this is no Debian.
pub(crate) fn missing(checkout: &Checkout) -> Result<Vec<String>> {
    let list = fs::read_to_string(checkout.stack().join("debian-packages.txt"))?;
    let wanted = parse(&list);
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat=${Package} ${db:Status-Status}\\n"])
        .args(&wanted)
        .output()
        .context("dpkg-query is missing: this needs Debian 12 or Ubuntu")?;
    let known = String::from_utf8_lossy(&output.stdout);
    let installed = |package: &str| {
        known
            .lines()
            .any(|line| line == format!("{package} installed"))
    };
    Ok(wanted
        .into_iter()
        .filter(|package| !installed(package))
        .map(str::to_owned)
        .collect())
}

/// Whether packages can be installed: by root, or by sudo.
pub(crate) fn can_install() -> bool {
    is_root()
        || Command::new("sudo")
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success())
}

/// Installs what is missing; waits while another process installs.
///
/// # Errors
/// When apt-get fails.
pub(crate) fn install(checkout: &Checkout, task: &Task) -> Result<()> {
    let _lock = cache::lock(checkout.cache(), "packages", &|step| task.step(step))?;
    HeldAutostart::release_what_was_left()?;
    let missing = missing(checkout)?;
    if missing.is_empty() {
        return Ok(());
    }
    let log = checkout.cache().join("packages.log");
    task.step("updating the package lists");
    exec::logged(privileged("apt-get").arg("update"), &log)?;
    task.step(&format!("installing {}", missing.join(", ")));
    let held = HeldAutostart::new()?;
    let outcome = exec::logged(
        privileged("env")
            .args([
                "DEBIAN_FRONTEND=noninteractive",
                "apt-get",
                "install",
                "--yes",
                "--no-install-recommends",
            ])
            .args(&missing),
        &log,
    );
    held.release()?;
    outcome
}

/// While it lives, Debian starts no service that it installs.
struct HeldAutostart;

impl HeldAutostart {
    fn new() -> Result<Self> {
        if Path::new(POLICY).exists() {
            exec::output(privileged("mv").args([POLICY, SAVED_POLICY]))?;
        }
        let ours = std::env::temp_dir().join(format!("bionicpro-policy-{}", std::process::id()));
        fs::write(&ours, OUR_POLICY)?;
        exec::output(
            privileged("install")
                .args(["--mode=755"])
                .arg(&ours)
                .arg(POLICY),
        )?;
        fs::remove_file(ours)?;
        Ok(Self)
    }

    /// Ends what an installation that was interrupted still holds back.
    fn release_what_was_left() -> Result<()> {
        let displaced = Path::new(SAVED_POLICY).exists() && !Path::new(POLICY).exists();
        let ours = fs::read_to_string(POLICY).is_ok_and(|policy| policy == OUR_POLICY);
        if displaced || ours {
            return Self.release();
        }
        Ok(())
    }

    fn release(self) -> Result<()> {
        exec::output(privileged("rm").args(["--force", POLICY]))?;
        if Path::new(SAVED_POLICY).exists() {
            exec::output(privileged("mv").args([SAVED_POLICY, POLICY]))?;
        }
        Ok(())
    }
}

fn privileged(program: &str) -> Command {
    if is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg(program);
    command
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn parse(list: &str) -> Vec<&str> {
    list.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// Says which packages are missing and cannot be installed.
///
/// # Errors
/// When there are some.
pub(crate) fn check(checkout: &Checkout) -> Result<()> {
    let missing = missing(checkout)?;
    if !missing.is_empty() && !can_install() {
        bail!(
            "Debian packages are missing and there is no sudo to install them: {}",
            missing.join(" ")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_empty_lines_are_no_packages() {
        assert_eq!(
            parse("# parts\n\nredis-server\n  chromium \n"),
            ["redis-server", "chromium"]
        );
    }
}
