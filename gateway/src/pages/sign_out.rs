//! `POST /auth/sign-out`: ends the browser's session, here and at the identity
//! provider.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};

use super::{Pages, outcome};
use crate::cookies;

/// The cookie goes when the session has ended, and stays while that cannot be
/// told.
pub(super) async fn answer(State(pages): State<Arc<Pages>>, headers: HeaderMap) -> Response {
    if !pages.origin.sent(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if let Some(ticket) = cookies::session(&headers)
        && let Err(failure) = pages.sessions.end(ticket).await
    {
        return outcome::of(&failure);
    }
    (
        StatusCode::NO_CONTENT,
        [(SET_COOKIE, cookies::drop_session())],
    )
        .into_response()
}
