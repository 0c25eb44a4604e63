//! The stack in containers. `cargo stack test compose` runs this where an engine answers, and says
//! that it was skipped where none does.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use bionicpro_proto::reports::v1::{ExportFormat, PeriodKind};
use bionicpro_tests::exports::Patient;
use bionicpro_tests::reports::period;
use bionicpro_tests::{eventually, jaeger, stack};
use http::StatusCode;
use serde::Deserialize;

use crate::model::{Service, services};
use crate::root;

/// From the start of the last container until all are well: Keycloak's checks alone may take minutes.
const START: Duration = Duration::from_secs(300);
const JOINING: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);
/// Whose spans a signed-in export leaves.
const TRACED: [&str; 5] = [
    "bionicpro-gateway",
    "bionicpro-auth",
    "bionicpro-reports",
    "keycloak",
    "clickhouse",
];

/// Takes the containers and their data away, whatever happened.
struct Down;

impl Drop for Down {
    fn drop(&mut self) {
        let _ = compose(&["down", "--volumes", "--timeout", "20"]).status();
    }
}

/// A container, as `docker compose ps` tells of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    service: String,
    state: String,
    health: String,
    exit_code: i32,
}

impl Container {
    /// A step has ended well; everything else runs, and says itself that it is well.
    fn is_well(&self, service: &Service) -> bool {
        if service.is_step() {
            self.state == "exited" && self.exit_code == 0
        } else {
            self.state == "running" && self.health == "healthy"
        }
    }
}

#[tokio::test]
#[ignore = "needs a container engine, and the ports of a development stack"]
async fn the_stack_starts_in_containers() {
    let _down = Down;
    let started = compose(&["up", "--build", "--detach"]).status();
    assert!(started.is_ok_and(|it| it.success()), "it does not start");
    all_are_well().await;
    a_patient_gets_their_report_as_a_file().await;
    eventually("everybody's spans are in Jaeger", JOINING, || async {
        let known = jaeger::services(stack()).await.unwrap_or_default();
        TRACED.iter().all(|name| known.iter().any(|it| it == name))
    })
    .await;
}

/// Waits until every container of the file is as it should be.
async fn all_are_well() {
    let services = services();
    let began = Instant::now();
    loop {
        let unwell = unwell(&services);
        if unwell.is_empty() {
            return;
        }
        assert!(began.elapsed() < START, "not well: {unwell:?}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// The services without a container that is well, and what there is of them.
fn unwell(services: &BTreeMap<String, Service>) -> BTreeMap<&str, Option<Container>> {
    let mut found: BTreeMap<String, Container> = containers()
        .into_iter()
        .map(|container| (container.service.clone(), container))
        .collect();
    services
        .iter()
        .map(|(name, service)| (name.as_str(), service, found.remove(name)))
        .filter(|(_, service, it)| !it.as_ref().is_some_and(|it| it.is_well(service)))
        .map(|(name, _, container)| (name, container))
        .collect()
}

fn containers() -> Vec<Container> {
    let listed = compose(&["ps", "--all", "--format", "json"])
        .output()
        .expect("it answered before");
    // An object a line.
    serde_json::Deserializer::from_slice(&listed.stdout)
        .into_iter()
        .map(|container| container.expect("a container as Compose tells of it"))
        .collect()
}

/// Signs in, has the report made into a file and downloads it: the gateway, Keycloak, every store but
/// Kafka, and the CDN.
async fn a_patient_gets_their_report_as_a_file() {
    let patient = Patient::signed_in(stack(), "prothetic1").await;
    let patient = patient.expect("prothetic1 can sign in");
    let week = period(PeriodKind::Week, "", "");
    let export = patient.ready(&week, ExportFormat::Csv).await;
    let file = patient.download(&export.download_path).await;
    assert_eq!(file.status, StatusCode::OK);
    assert!(!file.bytes.is_empty(), "the report is empty");
}

fn compose(arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command
        .args(["compose", "--project-name", "bionicpro-test"])
        .args(arguments)
        .current_dir(root());
    command
}
