//! Calls of our own services, by grpcurl: the steps that bring a stack up use
//! the same door as everybody else.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{
    exec, http,
    parts::{Site, tools},
};

/// Seconds that one call may take.
const LIMIT: &str = "30";

/// Calls services as the internal client.
pub(crate) struct Caller<'a> {
    site: &'a Site,
}

impl<'a> Caller<'a> {
    /// A caller in `site`'s stack.
    pub(crate) fn new(site: &'a Site) -> Self {
        Self { site }
    }

    /// Calls `method` of the service that listens on `address`.
    ///
    /// # Errors
    /// When the call does not succeed; the message repeats the status.
    pub(crate) fn call(&self, address: &str, method: &str, request: &Value) -> Result<Value> {
        let internal = &self.site.topology.keycloak.clients.internal;
        // A token of its own for each call: it costs 10 ms and never expires in between.
        let token = http::client_token(&self.site.topology, internal.id, &internal.secret)?;
        let answer = exec::output(
            Command::new(tools::path(&self.site.checkout, "grpcurl")?)
                .args(["-plaintext", "-max-time", LIMIT, "-expand-headers"])
                .args(["-H", "authorization: Bearer ${BIONICPRO_TOKEN}"])
                .args(["-d", &request.to_string(), address, method])
                .env("BIONICPRO_TOKEN", token),
        )
        .with_context(|| format!("{method} at {address}"))?;
        serde_json::from_str(&answer).with_context(|| format!("{method} answered no JSON"))
    }
}
