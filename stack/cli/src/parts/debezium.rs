//! Debezium's Postgres connector in Kafka Connect. Connect's own jars are
//! Kafka's; the connector is declared by `stack/debezium/connector.json.j2`.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Part, Site, Stage, maven};
use crate::{
    cache::{Recipe, Workshop},
    http,
    topology::{Port, Topology},
};

/// Reads the CRM's changes.
pub(super) struct Debezium;

const RECIPE: Recipe = Recipe {
    name: "debezium",
    manifest: &["debezium/pom.xml"],
    revision: 2,
    build,
};

/// How long the connector may take to start or stop: it asks its database first.
const LIMIT: Duration = Duration::from_secs(60);

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
        let file = site.topology.part_state("debezium").join("connector.json");
        let mut declared: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
        let connect = &site.topology.connect;
        declared["name"] = connect.connector.into();
        let connector = Connector {
            url: format!("{}/connectors/{}", connect.url, connect.connector),
        };
        let existing = connector.config();
        if existing.as_ref() != Some(&declared) {
            if existing.is_some() {
                connector.stop()?;
            }
            connector.declare(&declared)?;
        }
        connector.wait_for(&State::Running)
    }
}

/// The connector behind Connect's REST interface.
struct Connector {
    url: String,
}

impl Connector {
    fn config(&self) -> Option<Value> {
        http::get_json(&format!("{}/config", self.url)).ok()
    }

    /// Stops it, so that a state seen afterwards is not that of its old task.
    fn stop(&self) -> Result<()> {
        http::put_json(&format!("{}/stop", self.url), "")?;
        self.wait_for(&State::Stopped)
    }

    fn declare(&self, config: &Value) -> Result<()> {
        http::put_json(&format!("{}/config", self.url), &config.to_string())
            .context("Connect refused the connector")?;
        http::put_json(&format!("{}/resume", self.url), "")
    }

    fn wait_for(&self, wanted: &State) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let status = http::get_json(&format!("{}/status", self.url)).unwrap_or_default();
            match state(&status) {
                state if state == *wanted => return Ok(()),
                State::Failed(reason) if *wanted == State::Running => {
                    bail!("the connector failed: {reason}")
                }
                state if Instant::now() > deadline => bail!("the connector stays {state:?}"),
                _ => thread::sleep(Duration::from_millis(200)),
            }
        }
    }
}

#[derive(Debug, PartialEq)]
enum State {
    Stopped,
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
    let tasks = status["tasks"].as_array();
    if parts[0]["state"] == "STOPPED" && tasks.is_some_and(Vec::is_empty) {
        return State::Stopped;
    }
    if parts.iter().all(|part| part["state"] == "RUNNING") {
        State::Running
    } else {
        State::Starting
    }
}

fn build(workshop: &Workshop<'_>) -> Result<()> {
    (workshop.say)("fetching the connector");
    maven::run(
        workshop,
        "debezium",
        "dependency:unpack-dependencies@connector",
        "plugins",
    )?;
    (workshop.say)("fetching the OpenTelemetry SDK");
    maven::run(
        workshop,
        "debezium",
        "dependency:copy-dependencies@opentelemetry",
        "opentelemetry",
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
    fn a_connector_is_stopped_when_its_task_is_gone() {
        let mut status =
            json!({"connector": {"state": "STOPPED"}, "tasks": [{"state": "RUNNING"}]});
        assert_eq!(state(&status), State::Starting);
        status["tasks"] = json!([]);
        assert_eq!(state(&status), State::Stopped);
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
