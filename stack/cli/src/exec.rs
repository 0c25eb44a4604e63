//! Runs other programs and turns their failure into an error that shows the
//! end of what they printed.

use std::{
    ffi::OsStr,
    fs::File,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// How many lines of a failed program's output an error repeats.
const TAIL_LINES: usize = 25;

/// Cargo, as if it was called by hand. `cargo stack` is itself run by cargo, whose variables name the
/// package of `cargo stack`: build scripts that look at them would have their crates, and all that
/// stand on those, built anew each time that the one way to call it follows on the other.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    for (name, _) in std::env::vars_os() {
        if names_a_package(&name.to_string_lossy()) {
            cargo.env_remove(name);
        }
    }
    cargo
}

fn names_a_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
}

/// Runs `command` to its end and answers what it wrote to stdout.
///
/// # Errors
/// When it cannot be started or ends with another status than 0.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = name(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{name} could not be started"))?;
    if !output.status.success() {
        bail!(
            "{name} failed ({})\n{}",
            output.status,
            tail(&String::from_utf8_lossy(&output.stderr), TAIL_LINES)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs `command` to its end with its output appended to `log`.
///
/// # Errors
/// When it cannot be started or ends with another status than 0; the error
/// repeats the end of the log.
pub(crate) fn logged(command: &mut Command, log: &Path) -> Result<()> {
    let name = name(command);
    let file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("{} cannot be written", log.display()))?;
    let status = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .status()
        .with_context(|| format!("{name} could not be started"))?;
    if !status.success() {
        bail!(
            "{name} failed ({status}); the end of {}:\n{}",
            log.display(),
            log_tail(log)
        );
    }
    Ok(())
}

/// The last lines of a log file, or a note that there is none.
pub(crate) fn log_tail(log: &Path) -> String {
    match std::fs::read(log) {
        Ok(bytes) => tail(&String::from_utf8_lossy(&bytes), TAIL_LINES),
        Err(_) => format!("(no log at {})", log.display()),
    }
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let first = command
        .get_args()
        .next()
        .filter(|argument| argument.len() < 40)
        .unwrap_or(OsStr::new(""));
    format!("{} {}", program.to_string_lossy(), first.to_string_lossy())
        .trim_end()
        .to_owned()
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_repeats_what_the_program_said_last() {
        let error = output(Command::new("sh").args(["-c", "echo the disk is full >&2; exit 3"]))
            .expect_err("exit 3");
        assert!(error.to_string().contains("the disk is full"), "{error}");
    }

    /// Cargo has set them for this test, as it does for `cargo stack`.
    #[test]
    fn cargo_is_not_told_whose_package_calls_it() {
        let cargo = cargo();
        let removed: Vec<_> = cargo.get_envs().filter(|(_, set)| set.is_none()).collect();
        for variable in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"] {
            assert!(std::env::var_os(variable).is_some(), "{variable}");
            assert!(
                removed.iter().any(|(name, _)| *name == variable),
                "{variable}"
            );
        }
    }

    #[test]
    fn a_tail_keeps_only_the_last_lines() {
        assert_eq!(tail("1\n2\n3", 2), "2\n3");
    }
}
