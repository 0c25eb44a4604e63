//! Prometheus' HTTP API, and how metrics get there: by OTLP over HTTP to Jaeger's collector.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use serde_json::{Value, json};

use crate::Topology;

/// Asks an endpoint of `/api/v1`; answers what stands under `data`.
///
/// # Errors
/// When Prometheus does not answer or refuses.
pub async fn ask(
    stack: &Topology,
    endpoint: &str,
    query: &[(&str, &str)],
) -> anyhow::Result<Value> {
    let mut address = stack.prometheus.url.join(&format!("api/v1/{endpoint}"))?;
    address.query_pairs_mut().extend_pairs(query);
    let answer: Value = crate::http().get(address).send().await?.json().await?;
    ensure!(answer["status"] == "success", "{endpoint}: {answer}");
    Ok(answer["data"].clone())
}

/// The only value that a query answers; none where it answers nothing.
///
/// # Errors
/// As [`ask`], or where it is no number.
pub async fn value(stack: &Topology, query: &str) -> anyhow::Result<Option<f64>> {
    let answer = ask(stack, "query", &[("query", query)]).await?;
    let value = answer["result"][0]["value"][1].as_str();
    Ok(value.map(str::parse).transpose()?)
}

/// Tells what the instance of a service has counted under `name` since its start.
///
/// # Errors
/// When the collector does not take it.
pub async fn count(
    stack: &Topology,
    (service, instance): (&str, &str),
    name: &str,
    value: u32,
) -> anyhow::Result<()> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)?
        .as_nanos()
        .to_string();
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let resource = [
        text("service.name", service),
        text("service.instance.id", instance),
    ];
    let point = json!({
        "asInt": value.to_string(), "startTimeUnixNano": now, "timeUnixNano": now,
    });
    let export = json!({"resourceMetrics": [{
        "resource": {"attributes": resource},
        "scopeMetrics": [{"metrics": [{"name": name, "sum": {
            "dataPoints": [point], "aggregationTemporality": 2, "isMonotonic": true,
        }}]}],
    }]});
    let address = format!(
        "http://127.0.0.1:{}/v1/metrics",
        stack.jaeger.otlp_http_port
    );
    let answer = crate::http().post(address).json(&export).send().await?;
    ensure!(answer.status().is_success(), "{}", answer.text().await?);
    Ok(())
}
