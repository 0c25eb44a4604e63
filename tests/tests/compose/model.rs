//! What holds for every container of `docker-compose.yaml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::inspect;

/// Parts that only containers have.
const IN_CONTAINERS_ONLY: [&str; 1] = ["grafana"];

/// What has to be there before a container starts, be it by way of further ones.
const BEFORE: [(&str, &[&str]); 15] = [
    ("stores", &["postgres", "clickhouse", "s3"]),
    ("keycloak", &["stores"]),
    ("debezium", &["kafka", "stores"]),
    ("seed", &["stores"]),
    ("connector", &["debezium", "seed"]),
    ("reports-migrate", &["stores"]),
    ("ingest-migrate", &["stores", "kafka"]),
    ("cdc-migrate", &["stores", "kafka"]),
    ("auth", &["redis", "keycloak"]),
    ("reports", &["reports-migrate"]),
    ("ingest", &["ingest-migrate"]),
    ("cdc", &["cdc-migrate"]),
    (
        "datamart",
        &["keycloak", "ingest", "cdc", "seed", "connector"],
    ),
    ("gateway", &["auth", "reports", "ingest", "cdc", "datamart"]),
    ("nginx", &["gateway", "s3"]),
];

#[derive(Deserialize)]
struct Project {
    services: BTreeMap<String, Service>,
}

#[derive(Deserialize)]
pub(crate) struct Service {
    image: String,
    restart: String,
    #[serde(default)]
    init: bool,
    mem_limit: Option<String>,
    #[serde(default)]
    command: Option<Vec<String>>,
    #[serde(default)]
    environment: BTreeMap<String, Option<String>>,
    pub(crate) healthcheck: Option<HealthCheck>,
    build: Option<Build>,
    #[serde(default)]
    depends_on: BTreeMap<String, Dependency>,
    #[serde(default)]
    ports: Vec<Published>,
}

#[derive(Deserialize)]
pub(crate) struct HealthCheck {
    pub(crate) test: Vec<String>,
}

#[derive(Deserialize)]
struct Build {
    target: String,
}

#[derive(Deserialize)]
struct Dependency {
    condition: String,
}

#[derive(Deserialize)]
struct Published {
    host_ip: String,
}

impl Service {
    /// The most bytes that Java or Go is told to take, where it is.
    fn heap(&self) -> Option<u64> {
        let words = self.command.iter().flatten();
        let words = words.chain(self.environment.values().flatten());
        let words = words.flat_map(|text| text.split([' ', '\'']));
        let java = words.filter_map(|word| word.strip_prefix("-Xmx")?.strip_suffix('m'));
        let go = self.environment.get("GOMEMLIMIT").and_then(Option::as_ref);
        let go = go.and_then(|limit| limit.strip_suffix("MiB"));
        let mebibytes = java.chain(go).map(|size| size.parse::<u64>());
        let mebibytes = mebibytes.map(|size| size.expect("a number"));
        mebibytes.max().map(|size| size << 20)
    }

    /// It does one thing and ends.
    pub(crate) fn is_step(&self) -> bool {
        self.restart.starts_with("on-failure")
    }
}

pub(crate) fn services() -> BTreeMap<String, Service> {
    inspect::<Project>("compose", "docker-compose.yaml").services
}

#[test]
fn every_part_of_the_stack_has_a_container() {
    let services = services();
    let parts = std::env::var("BIONICPRO_PARTS").expect("`cargo stack test compose` sets it");
    let names: Vec<_> = parts.split(',').collect();
    assert!(names.len() > 10, "{names:?}");
    let missing: Vec<_> = names
        .iter()
        // It stands in for SeaweedFS where it is asked for.
        .filter(|name| **name != "minio")
        .chain(&IN_CONTAINERS_ONLY)
        .filter(|name| !services.contains_key(**name))
        .collect();
    assert!(missing.is_empty(), "no container for {missing:?}");
}

#[test]
fn every_container_says_when_it_is_healthy_unless_it_is_a_step_that_ends() {
    for (name, service) in services() {
        assert_eq!(service.healthcheck.is_none(), service.is_step(), "{name}");
    }
}

#[test]
fn every_container_has_a_limit_of_memory() {
    for (name, service) in services() {
        assert!(service.mem_limit.is_some(), "{name}");
    }
}

/// A container's first process ignores SIGTERM unless it handles it, and a step that waits does not.
#[test]
fn a_step_can_be_stopped_while_it_waits() {
    for (name, service) in services() {
        assert_eq!(service.init, service.is_step(), "{name}");
    }
}

/// A heap is not all that a process has: stacks, code, buffers.
#[test]
fn a_runtime_is_told_of_less_memory_than_its_container_has() {
    let mut limited = 0;
    for (name, service) in services() {
        let Some(heap) = service.heap() else { continue };
        limited += 1;
        let limit = service.mem_limit.expect("every container has one");
        let limit: u64 = limit.parse().expect("bytes");
        assert!(heap * 5 <= limit * 4, "{name}: {heap} of {limit}");
    }
    assert!(limited >= 4, "only {limited} say how much they take");
}

#[test]
fn ports_are_published_on_loopback() {
    let services = services();
    let published: Vec<_> = services.values().flat_map(|it| &it.ports).collect();
    assert!(published.len() > 10);
    assert!(published.iter().all(|port| port.host_ip == "127.0.0.1"));
}

#[test]
fn a_container_waits_for_others_to_be_healthy_and_for_steps_to_have_ended() {
    let services = services();
    for (name, service) in &services {
        for (other, dependency) in &service.depends_on {
            let wanted = if services[other].is_step() {
                "service_completed_successfully"
            } else {
                "service_healthy"
            };
            assert_eq!(dependency.condition, wanted, "{name} waits for {other}");
        }
    }
}

#[test]
fn a_container_starts_after_all_that_it_cannot_do_without() {
    let services = services();
    for (name, others) in BEFORE {
        for other in others {
            assert!(
                waits_for(&services, name, other),
                "{name} does not wait for {other}"
            );
        }
    }
}

#[test]
fn every_image_that_is_not_ours_has_a_version() {
    for (name, service) in services() {
        let tag = service.image.rsplit_once(':').map(|(_, tag)| tag);
        assert!(tag.is_some_and(|tag| tag != "latest"), "{name}");
    }
}

#[test]
fn every_image_of_ours_is_a_stage_of_the_dockerfile() {
    let stages: Vec<crate::images::Stage> = inspect("dockerfile", "Dockerfile");
    for (name, service) in services() {
        let Some(build) = service.build else { continue };
        assert!(
            stages.iter().any(|stage| stage.name == build.target),
            "{name}: {}",
            build.target
        );
    }
}

/// Compose builds all images side by side, and two builds of one tag are in each other's way.
#[test]
fn an_image_of_ours_is_built_for_one_service_which_the_others_wait_for() {
    let services = services();
    let mut builders = BTreeMap::new();
    for (name, service) in &services {
        if service.build.is_some() {
            let other = builders.insert(service.image.as_str(), name.as_str());
            assert_eq!(other, None, "{} is built for {name}, too", service.image);
        }
    }
    let ours = services
        .iter()
        .filter(|(_, service)| service.image.starts_with("bionicpro/"));
    for (name, service) in ours {
        let builder = builders.get(service.image.as_str());
        let builder = builder.unwrap_or_else(|| panic!("nobody builds the image of {name}"));
        assert!(
            name == builder || waits_for(&services, name, builder),
            "{name} does not wait for {builder}, which builds its image"
        );
    }
}

/// Whether a service starts after another one, be it by way of further ones.
fn waits_for(services: &BTreeMap<String, Service>, name: &str, other: &str) -> bool {
    services[name]
        .depends_on
        .keys()
        .any(|earlier| earlier == other || waits_for(services, earlier, other))
}
