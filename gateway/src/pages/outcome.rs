//! How sign-in and sign-out end other than well: what the browser is shown.

use std::time::Duration;

use axum::response::{Html, IntoResponse, Redirect, Response};
use bionicpro_mesh::status::Reason;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};

use crate::sessions::Failure;

const UNAVAILABLE: &str = include_str!("unavailable.html");
const TOO_MANY: &str = include_str!("too_many.html");
/// How long a browser should wait when auth does not answer.
const RETRY_UNAVAILABLE: Duration = Duration::from_secs(5);

/// The sign-in failed for a reason that the application explains.
pub(super) fn failed(reason: Reason) -> Response {
    Redirect::to(&format!("/sign-in/failed?reason={}", reason.as_reason())).into_response()
}

/// Auth said no, or could not be asked.
pub(super) fn of(failure: &Failure) -> Response {
    match failure {
        Failure::Refused(reason) => failed(*reason),
        Failure::Unavailable => unavailable(),
    }
}

/// Auth cannot be asked: nothing has changed, and a later try may do.
pub(super) fn unavailable() -> Response {
    retry(
        StatusCode::SERVICE_UNAVAILABLE,
        UNAVAILABLE,
        RETRY_UNAVAILABLE,
    )
}

/// The address began too many sign-ins.
pub(super) fn too_many(wait: Duration) -> Response {
    retry(StatusCode::TOO_MANY_REQUESTS, TOO_MANY, wait)
}

fn retry(status: StatusCode, page: &'static str, wait: Duration) -> Response {
    // Rounded up: a browser that comes at the announced second is let in.
    let seconds = HeaderValue::from(wait.as_secs() + 1);
    (status, [(RETRY_AFTER, seconds)], Html(page)).into_response()
}
