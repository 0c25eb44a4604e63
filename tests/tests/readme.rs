//! Runs every command of the README against the test stack, in the README's
//! order, and looks at what it prints. A command without an expectation here
//! fails, so that the README cannot say what nobody has seen.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use bionicpro_proto::reports::v1::PeriodKind;
use bionicpro_tests::reports::{Reports, period};
use bionicpro_tests::{Topology, eventually, stack};
use chrono::Utc;
use tokio::runtime::Runtime;

/// How long readings may take into a report, as the README says.
const ARRIVAL: Duration = Duration::from_secs(150);
/// Devices send, among them the one of `prothetic1`.
const SIMULATE: &str = "cargo stack simulate";

/// What a command has to print.
enum Expectation {
    /// All of these.
    Prints(&'static [&'static str]),
    /// Nothing to run: this test is part of what the command runs.
    IsThisRun,
}
use Expectation::{IsThisRun, Prints};

/// By the beginning of the command.
const EXPECTATIONS: &[(&str, Expectation)] = &[
    (
        "cargo stack up",
        Prints(&["http://localhost:13000", "prothetic1", "operator1"]),
    ),
    ("cargo stack test", IsThisRun),
    (
        SIMULATE,
        Prints(&["in all: 15 accepted, 0 duplicates, 0 rejected"]),
    ),
    (
        "cargo stack status",
        Prints(&["gateway", "reports", "clickhouse"]),
    ),
    ("cargo stack sql crm", Prints(&["40"])),
    ("cargo stack sql clickhouse", Prints(&["202"])),
    ("cargo stack logs reports", Prints(&["bionicpro-reports"])),
    ("cargo stack restart reports", Prints(&[])),
    ("cargo stack doctor", Prints(&[])),
    ("cargo stack down", Prints(&[])),
    ("cargo stack help", Prints(&["seed", "bench", "reset"])),
];

/// By the end of a grpcurl call.
const CALLS: &[(&str, &[&str])] = &[
    (" list", &["bionicpro.reports.v1.ReportsService"]),
    (
        " describe bionicpro.reports.v1.ReportsService",
        &["rpc GetCustomerReport", "report_reader"],
    ),
    (
        "ReportsService/GetCustomerReport",
        &["\"totals\"", "\"telemetryWatermark\"", "\"serialNumber\""],
    ),
];

fn expected(command: &str) -> &'static Expectation {
    let known = EXPECTATIONS
        .iter()
        .find(|(beginning, _)| command.starts_with(beginning));
    &known
        .unwrap_or_else(|| panic!("the README has a command that no test expects: {command}"))
        .1
}

fn expected_of_call(command: &str) -> &'static [&'static str] {
    let known = CALLS.iter().find(|(end, _)| command.ends_with(end));
    known
        .unwrap_or_else(|| panic!("the README has a call that no test expects: {command}"))
        .1
}

/// The lines of the README's shell blocks.
fn commands(readme: &str) -> Vec<String> {
    let mut blocks = readme.split("```");
    let mut commands = Vec::new();
    while let (Some(_), Some(block)) = (blocks.next(), blocks.next()) {
        if let Some(lines) = block.strip_prefix("sh\n") {
            commands.extend(lines.lines().map(str::to_owned));
        }
    }
    commands
}

/// The same command for the test stack: its profile and its ports.
fn for_the_test_stack(command: &str) -> String {
    let mut command = command.replace("cargo stack ", "cargo stack --profile test ");
    for port in ["7051", "7052", "7053", "7054"] {
        command = command.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:1{port}"));
    }
    command
}

fn run(topology: &Topology, command: &str) -> Output {
    Command::new("bash")
        .args(["-euo", "pipefail", "-c", &for_the_test_stack(command)])
        .current_dir(&topology.directories.root)
        // The program that runs the tests holds its own view of cargo's settings.
        .env_remove("CARGO_MANIFEST_DIR")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The readings in today's report of `prothetic1`.
async fn readings_of_today() -> u64 {
    let reports = Reports::new(stack()).await.unwrap();
    let customer = stack().user("prothetic1").customer_id.unwrap();
    let today = Utc::now().format("%F").to_string();
    let report = reports.of(customer, period(PeriodKind::Day, &today, ""));
    report.await.unwrap().totals.unwrap_or_default().readings
}

#[test]
#[ignore = "takes the stack down at the end: `cargo stack test readme` runs it last"]
fn every_command_of_the_readme_does_what_it_says() {
    let topology = stack();
    assert_eq!(
        topology.profile, "test",
        "a development stack is not for tests"
    );
    let readme = fs::read_to_string(topology.directories.root.join("README.md")).unwrap();
    let commands = commands(&readme);
    assert!(
        commands.len() > 8,
        "the README has its commands: {commands:?}"
    );

    let runtime = Runtime::new().unwrap();
    for command in &commands {
        let prints = if command.contains("grpcurl") {
            expected_of_call(command)
        } else {
            match expected(command) {
                IsThisRun => continue,
                Prints(prints) => prints,
            }
        };
        eprintln!("$ {command}");
        let reported = command
            .starts_with(SIMULATE)
            .then(|| runtime.block_on(readings_of_today()));
        let output = run(topology, command);
        let printed = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{command} ended with {}:\n{printed}\n{complained}",
            output.status
        );
        for text in prints {
            assert!(
                printed.contains(text) || complained.contains(text),
                "{command} does not print {text:?}:\n{printed}\n{complained}"
            );
        }
        if let Some(before) = reported {
            let arrive = || async { readings_of_today().await > before };
            runtime.block_on(eventually("they are in the report", ARRIVAL, arrive));
        }
    }
}

#[test]
#[ignore = "part of `cargo stack test readme`"]
fn continuous_integration_runs_the_readme_s_test_command() {
    let run = fs::read_to_string(stack().directories.root.join(".ci/run")).unwrap();
    let commands: Vec<_> = run
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .collect();
    assert_eq!(commands.last(), Some(&"exec cargo stack test"));
}
