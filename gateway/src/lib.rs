//! The browser's only door: the application's files, sign-in and sign-out, and
//! grpc-web calls passed on to the services. A library, so that the benchmarks
//! measure this very gateway in front of methods that no contract has; this
//! file only composes.

mod calls;
mod config;
mod cookies;
mod door;
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
    let listen = config.basics.listen;
    let listener = server::bind(listen).with_context(|| format!("listening on {listen}"))?;
    let stop = CancellationToken::new();
    let workers = server::start(&listener, doors(config, policies), &stop)?;
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
fn doors(config: Config, policies: Policies) -> impl Fn() -> Door + Clone + Send + 'static {
    let issuer = config
        .basics
        .issuer_internal_url
        .as_str()
        .trim_end_matches('/');
    let token = ServiceToken::new(
        format!("{issuer}/protocol/openid-connect/token"),
        config.client_id.clone(),
        config.client_secret.clone(),
    );
    // The browser's address of it, not the services'.
    let public_issuer = config.basics.issuer.as_str().trim_end_matches('/');
    let sign_out = format!("{public_issuer}/protocol/openid-connect/logout");
    let sign_in_limit = Arc::new(SignInLimit::per_minute(config.sign_ins_per_minute));
    let config = Arc::new(config);
    move || {
        let credentials = Credentials::Service(token.clone());
        let auth = Channel::new([config.auth_url.as_str()], credentials).expect("checked");
        let pages = Pages {
            origin: config.origin.clone(),
            sessions: Sessions::new(&auth),
            identity_provider_sign_out: sign_out.clone(),
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
