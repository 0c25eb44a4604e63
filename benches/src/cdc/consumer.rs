//! Our consumer as a release build, with all that it does in a stack: versions,
//! tokens, dead letters, the watermark and traces.

use std::path::Path;
use std::process::Command;

use bionicpro_tests::stack;

use super::log::Log;
use crate::process::Process;
use crate::system::Port;

/// The share of messages without a trace of their own that would be recorded.
const TRACE_RATIO: &str = "0.1";

/// Starts the consumer `program` on a log, as a member of `group`.
pub(crate) fn start(program: &Path, log: &Log, group: &str) -> anyhow::Result<Process> {
    let mut command = Command::new(program);
    command
        .arg("serve")
        .arg(format!("--listen={}", Port::Cdc.address()))
        .arg(format!("--topic-prefix={}", log.source))
        .arg(format!("--consumer-group={group}"))
        .arg(format!("--connect-offsets-topic={}", log.positions))
        .envs(told());
    Process::start(&mut command, Port::Cdc.address())
}

/// What it is told of the stack, and the benchmark's own database.
pub(crate) fn told() -> [(&'static str, String); 9] {
    let stack = stack();
    let clickhouse = &stack.clickhouse;
    [
        ("BIONICPRO_ENVIRONMENT", "development".to_owned()),
        ("BIONICPRO_ISSUER", stack.keycloak.issuer.to_string()),
        ("BIONICPRO_TRACE_RATIO", TRACE_RATIO.to_owned()),
        ("BIONICPRO_KAFKA_BROKERS", stack.kafka.brokers.clone()),
        (
            "BIONICPRO_CONNECT_OFFSETS_TOPIC",
            stack.connect.offsets_topic.clone(),
        ),
        ("BIONICPRO_CLICKHOUSE_URL", clickhouse.url.to_string()),
        (
            "BIONICPRO_CLICKHOUSE_DATABASE",
            clickhouse.bench_database.clone(),
        ),
        ("BIONICPRO_CLICKHOUSE_USER", clickhouse.cdc.user.clone()),
        (
            "BIONICPRO_CLICKHOUSE_PASSWORD",
            clickhouse.cdc.password.clone(),
        ),
    ]
}
