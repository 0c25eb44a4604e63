//! The few plain HTTP calls that the cli makes itself, all to loopback.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use ureq::{
    Agent,
    http::{Response, StatusCode},
};

use crate::topology::{Login, Topology};

fn agent() -> Agent {
    Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(120)))
        .http_status_as_error(false)
        .build()
        .into()
}

/// Runs a ClickHouse statement as `login`, or as `default`, who only comes from
/// the server's own host, and answers what it printed.
///
/// # Errors
/// When the server cannot be reached or refuses the statement.
pub(crate) fn clickhouse(url: &str, login: Option<&Login>, statement: &str) -> Result<String> {
    let mut request = agent().post(url);
    if let Some(login) = login {
        request = request
            .header("X-ClickHouse-User", login.user)
            .header("X-ClickHouse-Key", &login.password);
    }
    let response = request
        .send(statement)
        .with_context(|| format!("ClickHouse at {url} does not answer"))?;
    text(response).context("ClickHouse refused the statement")
}

/// Fetches a client-credentials token for a client of the realm.
///
/// # Errors
/// When Keycloak cannot be reached or refuses.
pub(crate) fn client_token(topology: &Topology, client_id: &str, secret: &str) -> Result<String> {
    let grant = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", secret),
    ];
    token(&topology.keycloak.token_endpoint, &grant)
}

/// Makes the realm, in the place of the one that Keycloak may have: who was added to that by hand,
/// and every session, is gone.
///
/// # Errors
/// When Keycloak cannot be reached or refuses.
pub(crate) fn replace_realm(topology: &Topology, document: &str) -> Result<()> {
    let keycloak = &topology.keycloak;
    let endpoint = format!(
        "{}/realms/master/protocol/openid-connect/token",
        keycloak.url
    );
    let grant = [
        ("grant_type", "password"),
        ("client_id", "admin-cli"),
        ("username", keycloak.admin_user),
        ("password", keycloak.admin_password),
    ];
    let authorization = format!("Bearer {}", token(&endpoint, &grant)?);
    let realms = format!("{}/admin/realms", keycloak.url);
    let old = agent().delete(format!("{realms}/{}", keycloak.realm));
    let old = old.header("authorization", &authorization).call()?;
    if old.status() != StatusCode::NOT_FOUND {
        text(old).context("Keycloak keeps its old realm")?;
    }
    let new = agent()
        .post(realms)
        .header("authorization", &authorization)
        .content_type("application/json")
        .send(document)?;
    text(new).context("Keycloak refused the realm").map(drop)
}

fn token(endpoint: &str, grant: &[(&str, &str)]) -> Result<String> {
    let response = agent()
        .post(endpoint)
        .send_form(grant.iter().copied())
        .with_context(|| format!("Keycloak does not answer at {endpoint}; is the stack up?"))?;
    let answer: serde_json::Value =
        serde_json::from_str(&text(response).context("Keycloak refused the client")?)?;
    match answer["access_token"].as_str() {
        Some(token) => Ok(token.to_owned()),
        None => bail!("Keycloak's answer holds no access_token"),
    }
}

/// Answers the JSON at `url`.
///
/// # Errors
/// When it cannot be fetched or is no JSON.
pub(crate) fn get_json(url: &str) -> Result<serde_json::Value> {
    Ok(serde_json::from_str(&text(agent().get(url).call()?)?)?)
}

/// Puts a JSON document to `url`.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub(crate) fn put_json(url: &str, document: &str) -> Result<()> {
    text(
        agent()
            .put(url)
            .content_type("application/json")
            .send(document)?,
    )
    .map(drop)
}

fn text(mut response: Response<ureq::Body>) -> Result<String> {
    let body = response
        .body_mut()
        .with_config()
        .limit(u64::MAX)
        .read_to_string()?;
    if !response.status().is_success() {
        bail!("{}: {}", response.status(), body.trim_end());
    }
    Ok(body)
}
