//! Calls of our own services, by grpcurl: the steps that bring a stack up use
//! the same door as everybody else.

use std::{
    io::Write as _,
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    exec, http,
    parts::{Site, tools},
    topology::Client,
};

/// Seconds that one call may take.
const LIMIT: &str = "30";

/// Calls services as a program.
pub(crate) struct Caller<'a> {
    site: &'a Site,
    client: &'a Client,
}

impl<'a> Caller<'a> {
    /// An internal program in `site`'s stack.
    pub(crate) fn new(site: &'a Site) -> Self {
        let client = &site.topology.keycloak.clients.internal;
        Self { site, client }
    }

    /// The devices' backend.
    pub(crate) fn of_devices(site: &'a Site) -> Self {
        let client = &site.topology.keycloak.clients.devices;
        Self { site, client }
    }

    /// Calls `method` of the service that listens on `address`.
    ///
    /// # Errors
    /// When the call does not succeed; the message repeats the status.
    pub(crate) fn call(&self, address: &str, method: &str, request: &Value) -> Result<Value> {
        let answer =
            exec::output(
                self.grpcurl()?
                    .args(["-d", &request.to_string(), address, method]),
            )
            .with_context(|| format!("{method} at {address}"))?;
        serde_json::from_str(&answer).with_context(|| format!("{method} answered no JSON"))
    }

    /// Calls a `method` that takes a stream of messages. A Ctrl-C in between does not reach it.
    ///
    /// # Errors
    /// When the call does not succeed; the message repeats the status.
    pub(crate) fn stream(&self, address: &str, method: &str, messages: &[Value]) -> Result<Value> {
        let mut grpcurl = self
            .grpcurl()?
            .args(["-d", "@", address, method])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("grpcurl could not be started")?;
        if let Some(mut stdin) = grpcurl.stdin.take() {
            for message in messages {
                // Where grpcurl has ended, its own words below say why.
                if writeln!(stdin, "{message}").is_err() {
                    break;
                }
            }
        }
        let output = grpcurl.wait_with_output()?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            bail!("{method} at {address}: {}", why.trim());
        }
        serde_json::from_slice(&output.stdout).with_context(|| format!("{method} answered no JSON"))
    }

    fn grpcurl(&self) -> Result<Command> {
        // A token of its own for each call: it costs 10 ms and never expires in between.
        let Client { id, secret } = self.client;
        let token = http::client_token(&self.site.topology, id, secret)?;
        let mut command =
            Command::new(self.site.topology.directories.parts[tools::RECIPE.name].join("grpcurl"));
        command
            .args(["-plaintext", "-max-time", LIMIT, "-expand-headers"])
            .args(["-H", "authorization: Bearer ${BIONICPRO_TOKEN}"])
            .env("BIONICPRO_TOKEN", token);
        Ok(command)
    }
}
