//! What `up` says at its end: seconds by part, access points, sign-ins.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::parts::{Part, Site};

/// Seconds by part, collected while parts come up side by side.
#[derive(Default)]
pub(super) struct Timings {
    provisioned: Mutex<BTreeMap<&'static str, Duration>>,
    started: Mutex<BTreeMap<&'static str, Duration>>,
}

impl Timings {
    pub(super) fn provisioned(&self, name: &'static str, took: Duration) {
        note(&self.provisioned, name, took);
    }

    pub(super) fn started(&self, name: &'static str, took: Duration) {
        note(&self.started, name, took);
    }
}

fn note(table: &Mutex<BTreeMap<&'static str, Duration>>, name: &'static str, took: Duration) {
    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
    *table.entry(name).or_default() += took;
}

fn line(table: &Mutex<BTreeMap<&'static str, Duration>>) -> String {
    let table = table.lock().unwrap_or_else(PoisonError::into_inner);
    table
        .iter()
        .map(|(name, took)| format!("{name} {:.1}", took.as_secs_f64()))
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn print(
    site: &Site,
    selected: &[&'static dyn Part],
    timings: &Timings,
    took: Duration,
) {
    let topology = &site.topology;
    let selected = |name: &str| selected.iter().any(|part| part.name() == name);
    println!();
    println!(
        "The {} stack is ready after {:.1} s.",
        topology.profile.name(),
        took.as_secs_f64()
    );
    println!("  provisioned, s:  {}", line(&timings.provisioned));
    println!("  started, s:      {}", line(&timings.started));
    println!();
    if selected("gateway") {
        println!("  App              {}", topology.gateway.public_url);
        for user in &topology.users {
            println!(
                "    sign in as     {} / {}  ({})",
                user.username, user.password, user.role
            );
        }
    }
    let points = [
        (
            "keycloak",
            "Keycloak",
            format!("{} (admin / admin)", topology.keycloak.url),
        ),
        ("auth", "auth (gRPC)", topology.auth.service.listen.clone()),
        (
            "reports",
            "reports (gRPC)",
            topology.reports.service.listen.clone(),
        ),
        ("ingest", "ingest (gRPC)", topology.ingest.listen.clone()),
        ("cdc", "cdc (gRPC)", topology.cdc.listen.clone()),
        ("nginx", "Downloads", topology.nginx.public_url.clone()),
        (
            "s3",
            "S3",
            format!("{} (minioadmin / minioadmin)", topology.s3.url),
        ),
        (
            "s3-console",
            "S3 console",
            format!("{} (minioadmin / minioadmin)", topology.s3.console_url),
        ),
        (
            "minio",
            "S3, its console",
            format!(
                "{}, {} (minioadmin / minioadmin)",
                topology.s3.url, topology.s3.console_url
            ),
        ),
        ("clickhouse", "ClickHouse", topology.clickhouse.url.clone()),
        (
            "postgres",
            "Postgres",
            format!("{}:{}", topology.host, topology.postgres.port),
        ),
        ("redis", "Redis", topology.redis.url.clone()),
        ("kafka", "Kafka", topology.kafka.brokers.clone()),
        ("debezium", "Kafka Connect", topology.connect.url.clone()),
        ("jaeger", "Traces", topology.jaeger.url.clone()),
        ("prometheus", "Prometheus", topology.prometheus.url.clone()),
    ];
    for (_, title, address) in points.iter().filter(|(part, _, _)| selected(part)) {
        println!("  {title:<16} {address}");
    }
    println!();
    println!(
        "These sign-ins and passwords are for development only. `cargo stack down` stops everything."
    );
}

/// Says what is still to come.
pub(super) fn print_pending(parts: &[&'static str]) {
    for part in parts {
        println!(
            "Pending: {part} joins by itself when it is built, which takes minutes the first time; \
             `cargo stack logs {part}` shows how far it is."
        );
    }
}
