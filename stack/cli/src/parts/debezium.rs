//! Debezium's Postgres connector in Kafka Connect. Connect's own jars are
//! Kafka's; the connector is declared by `stack/debezium/connector.json.j2`.

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Part, Site, Stage};
use crate::{
    cache::{Recipe, Workshop},
    exec, http,
    topology::{Port, Topology},
};

/// Reads the CRM's changes.
pub(super) struct Debezium;

const RECIPE: Recipe = Recipe {
    name: "debezium",
    manifest: &["debezium/pom.xml"],
    revision: 1,
    build,
};

/// How long the connector may take to start: it checks its database first.
const START: Duration = Duration::from_secs(60);

impl Part for Debezium {
    fn name(&self) -> &'static str {
        "debezium"
    }

    fn stage(&self) -> Stage {
        Stage::Platforms
    }

    fn ports(&self, topology: &Topology) -> Vec<Port> {
        vec![Port {
            number: topology.connect.port,
            purpose: "kafka connect",
        }]
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(RECIPE)
    }

    /// Declares the connector: made, or brought to what the file says.
    fn configure(&self, site: &Site) -> Result<()> {
        let declared =
            fs::read_to_string(site.topology.part_state("debezium").join("connector.json"))?;
        let connect = &site.topology.connect;
        let connector = format!("{}/connectors/{}", connect.url, connect.connector);
        http::put_json(&format!("{connector}/config"), &declared)
            .context("Connect refused the connector")?;
        let deadline = Instant::now() + START;
        loop {
            match state(&http::get_json(&format!("{connector}/status")).unwrap_or_default()) {
                State::Running => return Ok(()),
                State::Failed(reason) => {
                    bail!("the connector {} failed: {reason}", connect.connector)
                }
                State::Starting if Instant::now() > deadline => {
                    bail!("the connector does not start")
                }
                State::Starting => thread::sleep(Duration::from_millis(200)),
            }
        }
    }
}

#[derive(Debug, PartialEq)]
enum State {
    Starting,
    Running,
    Failed(String),
}

/// Reads Connect's answer about a connector with one task.
fn state(status: &Value) -> State {
    let parts = [&status["connector"], &status["tasks"][0]];
    if let Some(failed) = parts.iter().find(|part| part["state"] == "FAILED") {
        let trace = failed["trace"].as_str().unwrap_or_default();
        return State::Failed(trace.lines().next().unwrap_or_default().to_owned());
    }
    if parts.iter().all(|part| part["state"] == "RUNNING") {
        State::Running
    } else {
        State::Starting
    }
}

fn build(workshop: &Workshop<'_>) -> Result<()> {
    (workshop.say)("fetching the connector");
    exec::logged(
        Command::new("mvn")
            .args(["--batch-mode", "--quiet", "dependency:unpack-dependencies"])
            .arg(format!(
                "-DoutputDirectory={}",
                workshop.into.join("plugins").display()
            ))
            .arg(format!(
                "-DmarkersDirectory={}",
                workshop.into.join("markers").display()
            ))
            .current_dir(workshop.stack.join("debezium")),
        &workshop.log,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_connector_without_its_task_is_still_starting() {
        assert_eq!(
            state(&json!({"connector": {"state": "RUNNING"}, "tasks": []})),
            State::Starting
        );
    }

    #[test]
    fn a_connector_runs_when_its_task_does() {
        let status =
            json!({"connector": {"state": "RUNNING"}, "tasks": [{"id": 0, "state": "RUNNING"}]});
        assert_eq!(state(&status), State::Running);
    }

    #[test]
    fn a_failed_task_says_why_in_one_line() {
        let task = json!({"id": 0, "state": "FAILED", "trace": "no such slot\n\tat io.debezium"});
        let status = json!({"connector": {"state": "RUNNING"}, "tasks": [task]});
        assert_eq!(state(&status), State::Failed("no such slot".to_owned()));
    }
}
