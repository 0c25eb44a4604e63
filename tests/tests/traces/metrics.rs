//! What Prometheus knows: every part that it asks answers, a call is counted and measured, a
//! message too, and it has what dashboards and alerts ask for.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use bionicpro_tests::{devices, eventually, prometheus, stack};
use regex::Regex;
use serde_json::Value;

use crate::edges::GET_REPORT;
use crate::journeys::{ask_for_report, signed_in};

const ARRIVAL: Duration = Duration::from_secs(40);

#[tokio::test]
async fn everything_that_prometheus_asks_answers() {
    eventually("every target is up", ARRIVAL, || async {
        let answer = prometheus::ask(stack(), "targets", &[]).await.unwrap();
        let targets = answer["activeTargets"].as_array().unwrap();
        let mut jobs: Vec<_> = targets
            .iter()
            .filter(|target| target["health"] == "up")
            .map(|target| target["labels"]["job"].as_str().unwrap())
            .collect();
        jobs.sort_unstable();
        targets.len() == jobs.len() && jobs == ["jaeger", "keycloak", "mesh", "prometheus"]
    })
    .await;
}

/// How many calls of the page's report have ended with a status, and the seconds of all of them.
async fn reports(job: &str, status: &str) -> (f64, f64) {
    let of = async |suffix: &str| {
        let query = format!(
            "sum(rpc_server_call_duration_seconds_{suffix}{{job=\"{job}\", rpc_system_name=\"grpc\", \
             rpc_method=\"{GET_REPORT}\", rpc_response_status_code=\"{status}\"}})"
        );
        let answer = prometheus::ask(stack(), "query", &[("query", &query)])
            .await
            .unwrap();
        let value = answer["result"][0]["value"][1].as_str();
        value.map_or(0.0, |value| value.parse().unwrap())
    };
    (of("count").await, of("sum").await)
}

#[tokio::test]
async fn a_call_shows_in_rate_and_duration_at_the_gateway_and_at_its_service() {
    const CALLS: u32 = 5;
    let browser = signed_in("prothetic1").await;
    let jobs = ["bionicpro-gateway", "bionicpro-reports"];
    let mut before = Vec::new();
    for job in jobs {
        before.push(reports(job, "OK").await);
    }
    for _ in 0..CALLS {
        ask_for_report(&browser, None).await;
    }
    for (job, (calls, seconds)) in jobs.into_iter().zip(before) {
        eventually(&format!("{job} has counted the calls"), ARRIVAL, || async {
            let now = reports(job, "OK").await;
            now.0 >= calls + f64::from(CALLS) && now.1 > seconds
        })
        .await;
    }
}

#[tokio::test]
async fn errors_are_told_apart_by_their_status() {
    let answer = prometheus::ask(
        stack(),
        "query",
        &[(
            "query",
            "count by (rpc_response_status_code) (rpc_server_call_duration_seconds_count)",
        )],
    );
    let answer = answer.await.unwrap();
    let statuses: Vec<&Value> = answer["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| &series["metric"]["rpc_response_status_code"])
        .collect();
    assert!(
        statuses.iter().all(|status| status.is_string()),
        "{statuses:?}"
    );
    assert!(
        statuses.iter().any(|status| **status == "OK"),
        "{statuses:?}"
    );
}

/// The only value that a query answers; none where it answers nothing.
async fn value(query: &str) -> Option<f64> {
    let answer = prometheus::ask(stack(), "query", &[("query", query)]).await;
    let answer = answer.unwrap();
    let value = answer["result"][0]["value"][1].as_str()?;
    Some(value.parse().unwrap())
}

#[tokio::test]
async fn every_partition_of_both_groups_tells_its_lag() {
    let partitions = "sort(count by (messaging_consumer_group_name) (kafka_consumer_group_lag))";
    eventually("the lags of all partitions", ARRIVAL, || async {
        let answer = prometheus::ask(stack(), "query", &[("query", partitions)]).await;
        let answer = answer.unwrap();
        let groups = answer["result"].as_array().unwrap();
        let counts: Vec<_> = groups.iter().map(|it| &it["value"][1]).collect();
        // The readings' topic, and one a table of the CRM.
        counts == ["8", "16"]
    })
    .await;
}

#[tokio::test]
async fn a_message_that_is_set_aside_is_counted() {
    let counted =
        "sum(bionicpro_dead_letters_total{messaging_destination_name=\"telemetry.readings\"})";
    eventually(
        "the count is there before the first one",
        ARRIVAL,
        || async { value(counted).await.is_some() },
    )
    .await;
    let before = value(counted).await;
    tokio::task::spawn_blocking(|| devices::put(stack(), b"no reading"))
        .await
        .unwrap()
        .unwrap();
    eventually("one more is counted", ARRIVAL, || async {
        value(counted).await > before
    })
    .await;
}

/// The queries of all dashboards, as Grafana would send them.
fn queries_of_dashboards() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../observability/grafana/dashboards");
    let files = fs::read_dir(folder).unwrap();
    let dashboards = files.map(|file| fs::read(file.unwrap().path()).unwrap());
    dashboards
        .flat_map(|text| {
            let dashboard: Value = serde_json::from_slice(&text).unwrap();
            let panels = dashboard["panels"].as_array().unwrap().clone();
            panels.into_iter().filter(|panel| panel["type"] != "row")
        })
        .flat_map(|panel| {
            let targets = panel["targets"].as_array().unwrap().clone();
            assert!(!targets.is_empty(), "{}", panel["title"]);
            targets
                .into_iter()
                .map(|it| it["expr"].as_str().unwrap().to_owned())
        })
        .map(|query| {
            query
                .replace("$__rate_interval", "1m")
                .replace("$job", ".*")
        })
        .collect()
}

/// The queries of all alerts that Prometheus has loaded.
async fn queries_of_alerts() -> Vec<String> {
    let rules = prometheus::ask(stack(), "rules", &[]).await.unwrap();
    let groups = rules["groups"].as_array().unwrap();
    groups
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap())
        .map(|rule| {
            assert_ne!(rule["health"], "err", "{rule}");
            rule["query"].as_str().unwrap().to_owned()
        })
        .collect()
}

/// The metrics that a query asks for: its words that are neither a label, a duration, a function
/// nor a keyword.
fn metrics_of(query: &str) -> BTreeSet<String> {
    let labels = Regex::new(r"(\w+ by|on) \([^)]*\)|\{[^}]*\}|\[[^\]]*\]|offset \w+").unwrap();
    let word = Regex::new(r"\b[a-z][a-z_]*\b( ?\()?").unwrap();
    let metrics: BTreeSet<_> = word
        .captures_iter(&labels.replace_all(query, ""))
        .filter(|word| word.get(1).is_none())
        .map(|word| word[0].to_owned())
        .filter(|word| !["and", "or", "unless"].contains(&word.as_str()))
        .collect();
    assert!(!metrics.is_empty(), "{query} names no metric");
    metrics
}

#[tokio::test]
async fn dashboards_and_alerts_ask_for_metrics_that_there_are() {
    let alerts = queries_of_alerts().await;
    assert!(alerts.len() >= 8, "{alerts:?}");
    let queries = [queries_of_dashboards(), alerts].concat();
    assert!(queries.len() > 20);
    let mut asked = BTreeSet::new();
    for query in &queries {
        asked.append(&mut metrics_of(query));
        let answer = prometheus::ask(stack(), "query", &[("query", query)]).await;
        answer.unwrap_or_else(|error| panic!("{query}: {error}"));
    }
    eventually("Prometheus has all of them", ARRIVAL, || async {
        let names = prometheus::ask(stack(), "label/__name__/values", &[]).await;
        let known: BTreeSet<String> = serde_json::from_value(names.unwrap()).unwrap();
        let missing: Vec<_> = asked.difference(&known).collect();
        if !missing.is_empty() {
            eprintln!("missing: {missing:?}");
        }
        missing.is_empty()
    })
    .await;
}
