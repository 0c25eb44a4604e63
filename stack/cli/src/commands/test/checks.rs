//! What each suite consists of: programs, and how their results are counted.

#[cfg(test)]
mod tests;

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use super::tally::{Counting, Tally};
use crate::{
    checkout::Profile,
    cli::Suite,
    commands::build,
    exec,
    parts::{self, Site, tools},
    progress::Progress,
    topology::Topology,
};

/// A program that is run as part of a suite.
pub(super) struct Check {
    command: Command,
    counting: Counting,
}

/// How a suite is called in the output.
pub(super) fn title(suite: Suite) -> &'static str {
    match suite {
        Suite::Lint => "lint",
        Suite::Unit => "unit",
        Suite::Frontend => "frontend",
        Suite::Compose => "compose",
        Suite::E2e => "e2e",
        Suite::Ingest => "ingest",
        Suite::Exports => "exports",
        Suite::Minio => "minio",
        Suite::Traces => "traces",
        Suite::Browser => "browser",
        Suite::Faults => "faults",
        Suite::Stack => "stack",
        Suite::Readme => "readme",
    }
}

/// The programs of `suite`, after what they need has been provisioned.
///
/// # Errors
/// When that cannot be provisioned.
pub(super) fn of(suite: Suite, site: &Site) -> Result<Vec<Check>> {
    match suite {
        Suite::Lint => lint(site),
        Suite::Unit => {
            build::packages(site)?;
            Ok(vec![
                workspace_tests(site, &["--lib", "--bins"], &["proto/tests", "mesh/tests"])?,
                cargo(
                    "test --locked --manifest-path stack/cli/Cargo.toml",
                    Counting::CargoTest,
                ),
            ])
        }
        Suite::Frontend => {
            build::app_packages(site)?;
            Ok(vec![npm(site, &["test"], Counting::Vitest)])
        }
        Suite::Compose => compose(site),
        Suite::E2e => Ok(vec![
            workspace_tests(site, &[], &["tests/tests"])?.on_stack(site),
        ]),
        // One program, called as the suite: a file of it for each group of behaviours.
        Suite::Ingest | Suite::Exports | Suite::Traces | Suite::Faults => Ok(vec![
            cargo(
                &format!("test --locked --workspace --test {}", title(suite)),
                Counting::CargoTest,
            )
            .on_stack(site),
        ]),
        Suite::Minio => Ok(vec![
            cargo(
                "test --locked --workspace --test exports",
                Counting::CargoTest,
            )
            .on_stack(site)
            .on_file_store("minio"),
        ]),
        Suite::Browser => Ok(vec![
            npm(
                site,
                &["e2e", "--", "--reporter=list"],
                Counting::Playwright,
            )
            .on_stack(site),
        ]),
        Suite::Stack => Ok(vec![taking_it_down("stack").on_stack(site)]),
        Suite::Readme => Ok(vec![taking_it_down("readme").on_stack(site)]),
    }
}

/// The targets that are named, and the integration tests in `folders`. The whole
/// workspace stays selected: the features of shared crates differ for a part of
/// it, and all of them would be built again.
fn workspace_tests(site: &Site, targets: &[&str], folders: &[&str]) -> Result<Check> {
    let mut tests = cargo(
        "test --locked --no-fail-fast --workspace",
        Counting::CargoTest,
    );
    tests.command.args(targets);
    for folder in folders {
        for name in integration_tests(&site.checkout.root().join(folder))? {
            tests.command.args(["--test", &name]);
        }
    }
    Ok(tests)
}

/// Tests that are ignored otherwise, as they take the stack down: one at a time.
fn taking_it_down(test: &str) -> Check {
    cargo(
        &format!("test --locked --workspace --test {test} -- --ignored --test-threads=1"),
        Counting::CargoTest,
    )
}

/// The names of a crate's integration tests, in their order.
fn integration_tests(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(
                path.file_stem()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    names.sort();
    Ok(names)
}

fn compose(site: &Site) -> Result<Vec<Check>> {
    build::packages(site)?;
    let task = Progress::new().task(tools::INSPECT_RECIPE.name);
    tools::INSPECT_RECIPE.provision(&site.checkout, &|step| task.step(step))?;
    let inspect = tools::INSPECT_RECIPE
        .folder(&site.checkout)?
        .join("inspect");
    let outside = Topology::new(&site.checkout, Profile::Dev)?;
    outside.write()?;
    let calls = calls_of_compose(Path::new("docker"), &mut io::stdout())?;
    let run = |ignored: &str| {
        let mut check = cargo(
            &format!("test --locked --workspace --test compose{ignored}"),
            Counting::CargoTest,
        );
        check.command.env("BIONICPRO_INSPECT", &inspect);
        check
            .command
            .env("BIONICPRO_PARTS", parts::names().join(","));
        // In containers the stack has the development stack's addresses, for whoever is outside.
        check.command.env("BIONICPRO_TOPOLOGY", outside.file());
        check
    };
    Ok(calls.iter().copied().map(run).collect())
}

/// What is asked of the suite's program, call by call. The last call needs a container engine; where
/// `docker` reaches none, the test is said to be skipped.
fn calls_of_compose(docker: &Path, said: &mut impl Write) -> Result<&'static [&'static str]> {
    const CALLS: &[&str] = &["", " -- --ignored"];
    if has_engine(docker) {
        return Ok(CALLS);
    }
    writeln!(
        said,
        "SKIPPED the_stack_starts_in_containers: no container engine with Compose answers here"
    )?;
    Ok(&CALLS[..1])
}

fn has_engine(docker: &Path) -> bool {
    [["info"].as_slice(), &["compose", "version"]]
        .iter()
        .all(|arguments| {
            Command::new(docker)
                .args(*arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        })
}

fn lint(site: &Site) -> Result<Vec<Check>> {
    const CRATES: [&str; 3] = [
        "Cargo.toml",
        "stack/cli/Cargo.toml",
        "stack/clickhouse/host/Cargo.toml",
    ];
    build::packages(site)?;
    build::app_packages(site)?;
    let task = Progress::new().task(tools::CARGO_RECIPE.name);
    tools::CARGO_RECIPE.provision(&site.checkout, &|step| task.step(step))?;
    let deny = tools::CARGO_RECIPE
        .folder(&site.checkout)?
        .join("bin/cargo-deny");
    let buf = site.checkout.root().join("frontend/node_modules/.bin/buf");

    let mut checks = Vec::new();
    for manifest in CRATES {
        checks.push(cargo(
            &format!("fmt --check --all --manifest-path {manifest}"),
            Counting::ExitStatus,
        ));
        checks.push(cargo(
            &format!("clippy --locked --quiet --workspace --all-targets --manifest-path {manifest} -- --deny warnings"),
            Counting::ExitStatus,
        ));
        checks.push(check(&deny, &format!("--manifest-path {manifest} --log-level error --config deny.toml check bans licenses sources")));
    }
    checks.push(check(&buf, "lint"));
    checks.push(check(&buf, "format --diff --exit-code"));
    checks.push(npm(site, &["check"], Counting::ExitStatus));
    // Debian's package of Prometheus has it.
    let promtool = Path::new("promtool");
    checks.push(check(promtool, "check rules observability/alerts.yml"));
    checks.push(check(promtool, "test rules observability/alerts_test.yml"));
    Ok(checks)
}

fn cargo(arguments: &str, counting: Counting) -> Check {
    Check {
        command: with_arguments(exec::cargo(), arguments),
        counting,
    }
}

fn npm(site: &Site, script: &[&str], counting: Counting) -> Check {
    let mut command = Command::new("npm");
    command
        .args(["run", "--prefix"])
        .arg(site.checkout.root().join("frontend"))
        .args(script);
    Check { command, counting }
}

fn check(program: &Path, arguments: &str) -> Check {
    Check {
        command: with_arguments(Command::new(program), arguments),
        counting: Counting::ExitStatus,
    }
}

fn with_arguments(mut command: Command, arguments: &str) -> Command {
    command.args(arguments.split_whitespace());
    command
}

impl Check {
    /// Hands the stack's topology to the program.
    fn on_stack(mut self, site: &Site) -> Self {
        self.command.env("BIONICPRO_TOPOLOGY", site.topology.file());
        self
    }

    /// Says which part is the stack's file store, where it is not the usual one.
    fn on_file_store(mut self, part: &str) -> Self {
        self.command.env("BIONICPRO_FILE_STORE", part);
        self
    }

    /// Runs the program in `folder`; what it prints passes through.
    pub(super) fn run(mut self, folder: &Path) -> Tally {
        println!("\n$ {}", self.shown());
        match self.count(folder) {
            Ok((tally, true)) if self.counting != Counting::ExitStatus => tally,
            // A program that ends badly without naming a failed test failed itself.
            Ok((tally, false)) if tally.failed > 0 => tally,
            Ok((tally, success)) => tally + Tally::one(success),
            Err(error) => Tally::broken(&self.shown(), &error),
        }
    }

    fn count(&mut self, folder: &Path) -> Result<(Tally, bool)> {
        let mut child = self
            .command
            .current_dir(folder)
            .env("NO_COLOR", "1")
            .env("CARGO_TERM_COLOR", "never")
            .env_remove("FORCE_COLOR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("it could not be started")?;
        let stdout = child.stdout.take().context("it has no output")?;
        let mut tally = Tally::default();
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            tally += self.counting.line(&line);
        }
        Ok((tally, child.wait()?.success()))
    }

    fn shown(&self) -> String {
        let program = Path::new(self.command.get_program());
        let mut words = vec![
            program
                .file_name()
                .unwrap_or(program.as_os_str())
                .to_string_lossy(),
        ];
        words.extend(
            self.command
                .get_args()
                .map(|argument| argument.to_string_lossy()),
        );
        words.join(" ")
    }
}
