//! The browser's only door: the application's files, sign-in and sign-out, and
//! grpc-web calls passed on to the services. A library, so that the benchmarks
//! measure this very gateway in front of methods that no contract has; this
//! file only composes.

mod calls;
mod config;
mod cookies;
mod door;
mod downloads;
mod error;
mod origin;
mod pages;
mod security_headers;
mod server;
mod sessions;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use anyhow::Context;
use bionicpro_mesh::client::{Channel, Credentials};
use bionicpro_mesh::identity::ServiceToken;
use bionicpro_mesh::{server::shutdown_signal, telemetry};
use tokio_util::sync::CancellationToken;

use crate::calls::{Calls, Upstreams};
use crate::door::Door;
use crate::downloads::Downloads;
use crate::pages::{Pages, SignInLimit};
use crate::security_headers::SecurityHeaders;
use crate::sessions::Sessions;

pub use crate::calls::Policies;
pub use crate::config::Config;

/// Serves until the process is told to stop. Only methods to which `policies`
/// gives a policy for browsers are forwarded.
///
/// # Errors
/// The address is taken, or telemetry cannot be started.
pub fn run(config: Config, policies: Policies) -> anyhow::Result<()> {
    let _telemetry = telemetry::start("bionicpro-gateway", &config.basics.telemetry)?;
    let (listen, drain) = (config.basics.listen, config.basics.drain);
    let listener = server::bind(listen).with_context(|| format!("listening on {listen}"))?;
    let stop = CancellationToken::new();
    let token = own_token(&config);
    let config = Arc::new(config);
    let make_door = doors(config.clone(), token.clone(), policies);
    let mut workers = server::start(listener, make_door, &stop, drain)?;
    if let Some(listen) = config.downloads_listen {
        let listener = server::bind(listen).with_context(|| format!("listening on {listen}"))?;
        let make = downloads(config, token);
        workers.push(downloads::start(listener, make, stop.clone(), drain)?);
    }
    tracing::info!(%listen, workers = workers.len(), "the gateway listens");
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(shutdown_signal());
    stop.cancel();
    for worker in workers {
        if worker.join().is_err() {
            tracing::error!("a worker panicked");
        }
    }
    Ok(())
}

/// Makes the door of each worker, on the worker's own runtime: connections stay
/// on it. What the workers share is made here once.
fn doors(
    config: Arc<Config>,
    token: ServiceToken,
    policies: Policies,
) -> impl Fn() -> Door + Clone + Send + 'static {
    // The browser's address of it, not the services'.
    let public_issuer = config.basics.issuer.as_str().trim_end_matches('/');
    let sign_out = format!("{public_issuer}/protocol/openid-connect/logout");
    let sign_in_limit = Arc::new(SignInLimit::per_minute(config.sign_ins_per_minute));
    move || {
        let auth = auth(&config, &token);
        let pages = Pages {
            origin: config.origin.clone(),
            sessions: Sessions::new(&auth),
            identity_provider_sign_out: sign_out.clone(),
            downloads_origin: config.downloads_origin.clone(),
            sign_in_limit: sign_in_limit.clone(),
        };
        Door {
            calls: Arc::new(Calls {
                origin: config.origin.clone(),
                sessions: Sessions::new(&auth),
                upstreams: Upstreams::new(policies, config.services.clone()),
                trace_ratio: config.basics.telemetry.trace_ratio,
            }),
            pages: pages::router(pages, &config.app_dir),
            security_headers: SecurityHeaders::new(config.origin.is_secure()),
        }
    }
}

/// Makes what decides downloads, on a runtime of its own, too.
fn downloads(
    config: Arc<Config>,
    token: ServiceToken,
) -> impl FnOnce() -> Downloads + Send + 'static {
    move || {
        let address = config.reports_url.as_str();
        let reports = Channel::new([address], Credentials::OfEachCall).expect("checked");
        let trace_ratio = config.basics.telemetry.trace_ratio;
        Downloads::new(&auth(&config, &token), reports, trace_ratio)
    }
}

fn auth(config: &Config, token: &ServiceToken) -> Channel {
    let credentials = Credentials::Service(token.clone());
    Channel::new([config.auth_url.as_str()], credentials).expect("checked")
}

/// The gateway's own token, one for all threads.
fn own_token(config: &Config) -> ServiceToken {
    let issuer = config
        .basics
        .issuer_internal_url
        .as_str()
        .trim_end_matches('/');
    ServiceToken::new(
        format!("{issuer}/protocol/openid-connect/token"),
        config.client_id.clone(),
        config.client_secret.clone(),
    )
}
