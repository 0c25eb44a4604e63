//! What Prometheus knows: every part that it asks answers, and a call is counted and measured.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bionicpro_tests::{eventually, prometheus, stack};
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
