//! `GET /auth/callback`: where the identity provider sends the browser back to.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use bionicpro_mesh::status::Reason;
use http::HeaderMap;
use http::header::SET_COOKIE;
use serde::Deserialize;

use super::{Pages, outcome};
use crate::cookies;
use crate::sessions::{Answer, Failure, Return};

/// The authorization response (RFC 6749, section 4.1.2; RFC 9207).
#[derive(Deserialize)]
pub(super) struct Callback {
    state: Option<String>,
    iss: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

/// Opens the session when auth accepts what the browser brings. Whatever is
/// forged, truncated or another browser's changes nothing here.
pub(super) async fn answer(
    State(pages): State<Arc<Pages>>,
    callback: Result<Query<Callback>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Some((attempt_id, returned)) = callback
        .ok()
        .and_then(|Query(callback)| returned(callback, &headers))
    else {
        return outcome::failed(Reason::SignInAttemptInvalid);
    };
    let drop_attempt = cookies::drop_attempt(&attempt_id);
    let session = match pages.sessions.complete(returned).await {
        Ok(session) => session,
        Err(failure) => {
            let used_up = matches!(
                failure,
                Failure::Refused(Reason::SignInRefused | Reason::SignInAnswerInvalid)
            );
            let cookies = drop_attempt
                .filter(|_| used_up)
                .map(|cookie| (SET_COOKIE, cookie));
            return (AppendHeaders(cookies), outcome::of(&failure)).into_response();
        }
    };
    let Some(cookie) = cookies::keep_session(&session.ticket, session.lifetime) else {
        return outcome::unavailable();
    };
    let cookies = drop_attempt
        .into_iter()
        .chain([cookie])
        .map(|cookie| (SET_COOKIE, cookie));
    (AppendHeaders(cookies), Redirect::to(&session.return_to)).into_response()
}

/// The attempt and what came back for it; none where the state names no attempt
/// that this browser began, or there is no answer.
fn returned(callback: Callback, headers: &HeaderMap) -> Option<(String, Return)> {
    let state = callback.state?;
    let (attempt_id, _) = state.split_once('.')?;
    let attempt_id = attempt_id.to_owned();
    let attempt_ticket = cookies::attempt(headers, &attempt_id)?.to_owned();
    let answer = match (callback.code, callback.error) {
        (Some(code), None) => Answer::Code(code),
        (None, Some(error)) => Answer::Error(error),
        _ => return None,
    };
    let returned = Return {
        state,
        attempt_ticket,
        issuer: callback.iss.unwrap_or_default(),
        answer,
        previous_session_ticket: cookies::session(headers).unwrap_or_default().to_owned(),
    };
    Some((attempt_id, returned))
}
