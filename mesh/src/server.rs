//! The one way to serve: takes services and gives them health, reflection, the layers in one
//! order, HTTP/2 settings that are fast on long round trips, and a graceful stop.

mod contract;
mod listener;
mod message_size;
mod overload;
mod panics;
mod readiness;

#[cfg(test)]
pub(crate) mod tests;

use std::convert::Infallible;
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use http::Request;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tower::{Service, ServiceBuilder};

use crate::config::Environment;
use crate::identity::Verifier;
use crate::identity::layer::{Identification, identify};
use crate::policy::{Policies, enforce};
use crate::{deadline, telemetry};
use contract::Contract;
pub use contract::ContractError;
use overload::Overload;
use readiness::{Dependency, Readiness};

/// Calls that may be under way at once; more are refused.
const MAXIMUM_CALLS: usize = 1024;
/// How long calls under way may take to end after the signal to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// A server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A service is not one of the contracts.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// Reflection cannot read the contracts.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Builds and runs a server.
pub struct Server {
    name: &'static str,
    listen: SocketAddr,
    verifier: Verifier,
    policies: Policies,
    contract: Contract,
    routes: Routes,
    services: Vec<&'static str>,
    dependencies: Vec<Dependency>,
    maximum_calls: usize,
    drain: Duration,
}

impl Server {
    /// A server of the program `name` that accepts the tokens that `verifier` does.
    #[must_use]
    pub fn new(name: &'static str, listen: SocketAddr, verifier: Verifier) -> Self {
        Self {
            name,
            listen,
            verifier,
            policies: Policies::new(Environment::default()),
            contract: Contract::default(),
            routes: Routes::default(),
            services: Vec::new(),
            dependencies: Vec::new(),
            maximum_calls: MAXIMUM_CALLS,
            drain: DRAIN,
        }
    }

    /// Where the server runs: reflection is open in development and needs a service's token
    /// elsewhere.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.policies = Policies::new(environment);
        self
    }

    /// How long calls under way may take to end after the signal to stop.
    #[must_use]
    pub fn drain(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// A part that the services need. While `check` fails, health says NOT_SERVING; it is asked
    /// again every second, so the server recovers by itself.
    #[must_use]
    pub fn dependency<F, C, E>(mut self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.dependencies.push(Dependency::new(name, None, check));
        self
    }

    /// A part that only some of the services need, each by its full name; `""` is the program as a
    /// whole.
    #[must_use]
    pub fn dependency_of<F, C, E>(
        mut self,
        services: &'static [&'static str],
        name: &'static str,
        check: F,
    ) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.dependencies
            .push(Dependency::new(name, Some(services), check));
        self
    }

    /// Adds a service of the contracts.
    #[must_use]
    pub fn add_service<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Error = Infallible, Response: IntoResponse, Future: Send>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
    {
        self.services.push(S::NAME);
        self.routes = self.routes.add_service(service);
        self
    }

    /// Serves until `shutdown`, then lets calls under way end.
    ///
    /// # Errors
    /// The address is taken, or a service is not one of the contracts.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let address = self.listen;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| ServeError::Listen { address, source })?;
        self.serve_on(listener, shutdown).await
    }

    /// Serves on a socket that listens already, until `shutdown`, then lets calls under way end.
    ///
    /// # Errors
    /// A service is not one of the contracts.
    pub async fn serve_on(
        mut self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        self.contract.check(&self.services, self.policies)?;
        let dependencies = std::mem::take(&mut self.dependencies);
        let (readiness, health) = Readiness::start(self.services.clone(), dependencies).await;
        tracing::info!(name = self.name, address = %listener.local_addr().unwrap_or(self.listen), "serving");
        let drain = self.drain;
        let routes = std::mem::take(&mut self.routes).add_service(health);
        let app = self.layers(self.contract.reflection(routes, &self.services)?);
        let stopping = async {
            shutdown.await;
            tracing::info!("stopping");
            readiness.stop().await;
        };
        listener::serve(listener, app, stopping, drain).await;
        Ok(())
    }

    /// The layers; the first one stands outermost.
    fn layers(&self, routes: Routes) -> Router {
        let policies = self.policies;
        let identification = Identification {
            verifier: self.verifier.clone(),
            policies,
        };
        let overload = Overload::new(self.maximum_calls);
        routes
            .into_axum_router()
            // As one: the router boxes, and clones with each call, every layer that it is given.
            .layer(
                ServiceBuilder::new()
                    .layer(from_fn_with_state(policies, telemetry::rpc::observe))
                    .layer(from_fn(panics::to_internal))
                    .layer(from_fn_with_state(overload, overload::shed))
                    .layer(from_fn_with_state(policies, deadline::layer::keep))
                    .layer(from_fn_with_state(identification, identify))
                    .layer(from_fn_with_state(policies, enforce))
                    .layer(from_fn(message_size::explain)),
            )
    }
}

/// Completes when the process is told to stop: by SIGTERM or SIGINT.
///
/// # Panics
/// The signals cannot be listened to.
pub async fn shutdown_signal() {
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be listened to");
    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be listened to");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
