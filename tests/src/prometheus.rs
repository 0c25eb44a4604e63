//! Prometheus' HTTP API.

use anyhow::ensure;
use serde_json::Value;

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
