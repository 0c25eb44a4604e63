//! Signing out, here and at the identity provider.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::{Pages, outcome};
use crate::cookies;

/// What the application is told when only the session here has ended.
const ONLY_HERE: &str = r#"{"identity_provider_session_ended":false}"#;
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `POST /auth/sign-out`: 204 when the person is signed out everywhere, 200 with
/// [`ONLY_HERE`] when the identity provider did not confirm it: whoever uses this
/// browser next might get in there without a password. The cookie goes when the
/// session here has ended, and stays while that cannot be told.
pub(super) async fn answer(State(pages): State<Arc<Pages>>, headers: HeaderMap) -> Response {
    if !pages.origin.sent(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    // Without a session there is nothing to end.
    let ended = match cookies::session(&headers) {
        Some(ticket) => pages.sessions.end(ticket).await,
        None => Ok(true),
    };
    let dropped = (SET_COOKIE, cookies::drop_session());
    match ended {
        Ok(true) => (StatusCode::NO_CONTENT, [dropped]).into_response(),
        Ok(false) => ([dropped, (CONTENT_TYPE, JSON)], ONLY_HERE).into_response(),
        Err(failure) => outcome::of(&failure),
    }
}

/// `GET /auth/identity-provider/sign-out`: leads to the identity provider's own
/// page for signing out. It asks before it ends anything.
pub(super) async fn finish(State(pages): State<Arc<Pages>>) -> Redirect {
    Redirect::to(&pages.identity_provider_sign_out)
}
