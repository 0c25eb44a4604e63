//! Whether the gateway is alive, and whether people can use it.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;

use super::Pages;

/// The process answers.
pub(super) async fn alive() -> StatusCode {
    StatusCode::OK
}

/// Auth answers and is itself ready: without it nobody gets in.
pub(super) async fn ready(State(pages): State<Arc<Pages>>) -> StatusCode {
    if pages.sessions.ready().await {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
