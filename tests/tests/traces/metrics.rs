//! What Prometheus knows: every part that it asks answers, a call is counted and measured, a
//! message too, and it has what dashboards and alerts ask for.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use bionicpro_proto::reports::v1::{ListExportsRequest, ListExportsResponse};
use bionicpro_tests::grpc_web::Answer;
use bionicpro_tests::{devices, eventually, prometheus, rpc, stack};
use regex::Regex;
use serde_json::Value;
use tonic::Code;
use uuid::Uuid;

use crate::edges::GET_REPORT;
use crate::journeys::{ask_for_report, send_a_reading, signed_in};
use crate::readings_to_oneself;

const ARRIVAL: Duration = Duration::from_secs(40);
const JOBS: [&str; 6] = [
    "clickhouse",
    "jaeger",
    "keycloak",
    "mesh",
    "prometheus",
    "s3",
];

#[tokio::test]
async fn everything_that_prometheus_asks_answers() {
    eventually("every target is up", ARRIVAL, || async {
        let answer = prometheus::ask(stack(), "targets", &[]).await.unwrap();
        let targets = answer["activeTargets"].as_array().unwrap();
        let mut jobs: Vec<_> = targets
            .iter()
            .filter(|target| target["health"] == "up")
            .map(|target| target["labels"]["job"].as_str().unwrap())
            // Where it stands in SeaweedFS' place.
            .map(|job| if job == "minio" { "s3" } else { job })
            .collect();
        jobs.sort_unstable();
        let up = targets.len() == jobs.len() && jobs == JOBS;
        up.then_some(())
            .ok_or_else(|| answer["activeTargets"].to_string())
    })
    .await;
}

/// What Prometheus has counted of a service's calls: `labels` says which.
async fn sum(series: &str, labels: &str) -> f64 {
    let query = format!("sum({series}{{{labels}}})");
    value(&query).await.unwrap_or(0.0)
}

fn labels(job: &str, method: &str, status: &str) -> String {
    format!(
        "job=\"{job}\", rpc_system_name=\"grpc\", rpc_method=\"{method}\", \
         rpc_response_status_code=\"{status}\""
    )
}

/// How many calls of a method a service has answered with a status.
pub(crate) async fn calls(job: &str, method: &str, status: &str) -> f64 {
    let labels = labels(job, method, status);
    sum("rpc_server_call_duration_seconds_count", &labels).await
}

#[tokio::test]
async fn a_call_shows_in_rate_and_duration_at_the_gateway_and_at_its_service() {
    const CALLS: u32 = 5;
    let browser = signed_in("prothetic1").await;
    let jobs = ["bionicpro-gateway", "bionicpro-reports"];
    let seconds = async |job| {
        let labels = labels(job, GET_REPORT, "OK");
        sum("rpc_server_call_duration_seconds_sum", &labels).await
    };
    let mut before = Vec::new();
    for job in jobs {
        before.push((calls(job, GET_REPORT, "OK").await, seconds(job).await));
    }
    for _ in 0..CALLS {
        ask_for_report(&browser, None).await;
    }
    for (job, before) in jobs.into_iter().zip(before) {
        eventually(&format!("{job} has counted the calls"), ARRIVAL, || async {
            let now = (calls(job, GET_REPORT, "OK").await, seconds(job).await);
            let counted = now.0 >= before.0 + f64::from(CALLS) && now.1 > before.1;
            counted.then_some(()).ok_or(format!("{now:?}"))
        })
        .await;
    }
}

/// How many calls of a method a service has counted as OK, as INVALID_ARGUMENT and as errors.
async fn outcomes(job: &str, method: &str) -> [f64; 3] {
    let errors = format!("job=\"{job}\", rpc_method=\"{method}\", error_type!=\"\"");
    [
        calls(job, method, "OK").await,
        calls(job, method, "INVALID_ARGUMENT").await,
        sum("rpc_server_call_duration_seconds_count", &errors).await,
    ]
}

#[tokio::test]
async fn a_call_that_is_refused_counts_by_its_status_and_is_no_error_of_who_refused_it() {
    /// No other test of the suite calls it.
    const METHOD: &str = "bionicpro.reports.v1.ReportsService/ListExports";
    let browser = signed_in("prothetic1").await;
    let jobs = ["bionicpro-gateway", "bionicpro-reports"];
    let mut before = Vec::new();
    for job in jobs {
        before.push(outcomes(job, METHOD).await);
    }
    let wrong = ListExportsRequest {
        page_size: 1,
        page_token: "AAAA".to_owned(),
    };
    let answer: Answer<ListExportsResponse> = browser
        .page()
        .call(&format!("/{METHOD}"), &wrong)
        .await
        .unwrap();
    assert_eq!(answer.status.code(), Code::InvalidArgument);
    for (job, [ok, refused, errors]) in jobs.into_iter().zip(before) {
        eventually(&format!("{job} has counted the call"), ARRIVAL, || async {
            let now = outcomes(job, METHOD).await;
            let counted = now == [ok, refused + 1.0, errors];
            counted.then_some(()).ok_or(format!("{now:?}"))
        })
        .await;
    }
}

#[tokio::test]
async fn a_failure_of_the_server_counts_as_an_error() {
    let labels = "job=\"bionicpro-reports\", rpc_method=\"_OTHER\", error_type=\"UNIMPLEMENTED\"";
    let counted = async || sum("rpc_server_call_duration_seconds_count", labels).await;
    let before = counted().await;
    let method = "/bionicpro.reports.v1.ReportsService/Nothing";
    let answer = rpc::call::<_, ListExportsResponse>(
        &stack().reports.url,
        method,
        None,
        ListExportsRequest::default(),
    );
    assert_eq!(answer.await.unwrap_err().code(), Code::Unimplemented);
    eventually("the failure is counted", ARRIVAL, || async {
        let now = counted().await;
        (now > before).then_some(()).ok_or(now)
    })
    .await;
}

#[tokio::test]
async fn two_processes_of_one_service_do_not_overwrite_each_others_counts() {
    let service = format!("twice-{}", Uuid::now_v7().simple());
    for (instance, calls) in [("first", 5), ("second", 7)] {
        let sent = prometheus::count(stack(), (&service, instance), "twice", calls);
        sent.await.unwrap();
    }
    let sum = format!("sum(twice_total{{job=\"{service}\"}})");
    eventually("both are counted", ARRIVAL, || async {
        let now = value(&sum).await;
        (now == Some(12.0)).then_some(()).ok_or(format!("{now:?}"))
    })
    .await;
    let ours = "rpc_server_call_duration_seconds_count{job=~\"bionicpro-.*\"";
    let named = async |instance: &str| value(&format!("count({ours}, {instance}}})")).await;
    assert!(named("instance!=\"\"").await > Some(0.0));
    assert_eq!(named("instance=\"\"").await, None);
}

async fn value(query: &str) -> Option<f64> {
    prometheus::value(stack(), query).await.unwrap()
}

#[tokio::test]
async fn every_partition_of_both_groups_tells_its_lag() {
    let partitions = "sort(count by (messaging_consumer_group_name) (max by \
                      (messaging_consumer_group_name, messaging_destination_name, \
                      messaging_destination_partition_id) (kafka_consumer_group_lag)))";
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
    // Some are there only once somebody has called.
    ask_for_report(&signed_in("prothetic1").await, None).await;
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
        let found = format!("{missing:?} are missing");
        missing.is_empty().then_some(()).ok_or(found)
    })
    .await;
}

#[tokio::test]
async fn every_panel_but_those_of_failures_shows_something() {
    let browser = signed_in("prothetic1").await;
    ask_for_report(&browser, None).await;
    let _readings = readings_to_oneself().await;
    send_a_reading().await;
    for query in queries_of_dashboards() {
        if query.contains("!=") {
            continue;
        }
        eventually("the panel shows something", 2 * ARRIVAL, || async {
            let answer = prometheus::ask(stack(), "query", &[("query", &query)]).await;
            let shown = answer.unwrap()["result"].as_array().unwrap().len();
            (shown > 0).then_some(()).ok_or(query.clone())
        })
        .await;
    }
}
