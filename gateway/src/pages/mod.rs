//! What the gateway answers as pages: sign-in and sign-out, the application's
//! files, and whether the gateway is alive and ready.

mod app;
mod callback;
mod exports;
mod health;
mod outcome;
mod sign_in;
mod sign_in_limit;
mod sign_out;

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use bionicpro_mesh::telemetry;
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::origin::Origin;
use crate::sessions::Sessions;

pub(crate) use sign_in_limit::SignInLimit;

/// What the pages work with.
pub(crate) struct Pages {
    pub(crate) origin: Origin,
    pub(crate) sessions: Sessions,
    /// The identity provider's page for signing out
    /// (OpenID Connect RP-Initiated Logout 1.0).
    pub(crate) identity_provider_sign_out: String,
    /// The origin of the CDN, where it does not stand before the gateway.
    pub(crate) downloads_origin: Option<String>,
    /// One for all workers.
    pub(crate) sign_in_limit: Arc<SignInLimit>,
}

/// The routes of the pages; whatever they do not know is the application's.
pub(crate) fn router(pages: Pages, app_dir: &Path) -> Router {
    let observed = Router::new()
        .route("/auth/sign-in", get(sign_in::answer))
        .route("/auth/callback", get(callback::answer))
        .route("/auth/sign-out", post(sign_out::answer))
        .route("/auth/identity-provider/sign-out", get(sign_out::finish))
        .route("/exports/{*file}", get(exports::answer))
        .route_layer(from_fn(telemetry::http::observe));
    observed
        .route("/readyz", get(health::ready))
        .route("/healthz", get(health::alive))
        .layer(SetResponseHeaderLayer::overriding(
            CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .with_state(Arc::new(pages))
        .merge(app::router(app_dir))
}
