//! Sign-in and sessions: `bionicpro-auth serve`. This file only puts the parts together.

mod config;
mod error;
mod identity_provider;
mod rpc;
mod sealing;
mod session;
mod sign_in;
mod store;

use std::{sync::Arc, time::Duration};

use bionicpro_mesh::{
    server::{Server, shutdown_signal},
    telemetry,
};
use bionicpro_proto::auth::v1::{
    account_service_server::AccountServiceServer, session_service_server::SessionServiceServer,
};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::{
    config::Config,
    rpc::{Account, App, SessionRpcs},
    session::Sessions,
    sign_in::SignIns,
    store::{keycloak::Keycloak, redis::Redis},
};

/// How long renewals under way may take to end after the last call.
const LAST_RENEWALS: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = bionicpro_mesh::config::from_process(Config::read);
    let _telemetry = telemetry::start(Config::AUDIENCE, &config.basics.telemetry)?;
    let verifier = config.basics.verifier(Config::AUDIENCE);

    let redis = Redis::new(config.redis)?;
    let keycloak = Keycloak::new(config.keycloak)?;
    let keys = Arc::new(config.keys);
    let tasks = TaskTracker::new();
    let sessions = Sessions::new(
        redis.clone(),
        keycloak.clone(),
        Arc::clone(&keys),
        config.limits,
        tasks.clone(),
    );
    let sign_ins = SignIns::new(redis.clone(), keycloak, keys, Arc::clone(&sessions));
    let app = Arc::new(App { sessions, sign_ins });

    // Without Keycloak people who are signed in go on, so only Redis decides on readiness.
    Server::new(Config::AUDIENCE, config.basics.listen, verifier)
        .environment(config.basics.environment)
        .drain(config.basics.drain)
        .dependency("redis", move || {
            let redis = redis.clone();
            async move { redis.ping().await }
        })
        .add_service(SessionServiceServer::new(SessionRpcs(app)))
        .add_service(AccountServiceServer::new(Account))
        .serve(shutdown_signal())
        .await?;

    tasks.close();
    if timeout(LAST_RENEWALS, tasks.wait()).await.is_err() {
        tracing::warn!("a renewal was cut off");
    }
    Ok(())
}
