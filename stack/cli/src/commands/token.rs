//! `cargo stack token CLIENT`: a client-credentials token, alone on stdout.

use anyhow::{Result, bail};

use crate::{http, parts::Site};

pub(super) fn run(site: &Site, client: &str) -> Result<()> {
    println!("{}", fetch(site, client)?);
    Ok(())
}

/// Fetches a token for one of the realm's service clients.
pub(super) fn fetch(site: &Site, client: &str) -> Result<String> {
    let clients = &site.topology.keycloak.clients;
    let client = match client.trim_start_matches("bionicpro-") {
        "internal" => &clients.internal,
        "gateway" => &clients.gateway,
        "devices" => &clients.devices,
        other => {
            bail!("there is no service client {other:?}; there are internal, gateway and devices")
        }
    };
    http::client_token(&site.topology, client.id, &client.secret)
}
