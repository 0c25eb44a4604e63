//! `GET /auth/sign-in?return_to=/…&locale=en|ru`: begins a sign-in and sends the
//! browser to the identity provider.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::HeaderMap;
use http::header::SET_COOKIE;
use serde::Deserialize;

use super::{Pages, outcome};
use crate::cookies;
use crate::door::ClientAddress;

/// What the application asks for.
#[derive(Deserialize)]
pub(super) struct SignIn {
    /// The page to return to.
    #[serde(default = "front_page")]
    return_to: String,
    /// The language of the identity provider's pages: English if not Russian.
    #[serde(default)]
    locale: String,
}

fn front_page() -> String {
    "/".to_owned()
}

/// Each attempt gets a cookie of its own, so that tabs that sign in at the same
/// time do not disturb each other.
pub(super) async fn answer(
    State(pages): State<Arc<Pages>>,
    Extension(ClientAddress(client)): Extension<ClientAddress>,
    Query(asked): Query<SignIn>,
    headers: HeaderMap,
) -> Response {
    if let Err(wait) = pages.sign_in_limit.count(client) {
        return outcome::too_many(wait);
    }
    let locale = if asked.locale == "ru" { "ru" } else { "en" };
    let attempt = match pages.sessions.begin(asked.return_to, locale).await {
        Ok(attempt) => attempt,
        Err(failure) => return outcome::of(&failure),
    };
    let Some(cookie) = cookies::keep_attempt(&attempt.id, &attempt.ticket, attempt.lifetime) else {
        return outcome::unavailable();
    };
    let cookies = cookies::drop_surplus_attempts(&headers)
        .into_iter()
        .chain([cookie])
        .map(|cookie| (SET_COOKIE, cookie));
    (
        AppendHeaders(cookies),
        Redirect::to(&attempt.authorization_url),
    )
        .into_response()
}
