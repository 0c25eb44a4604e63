//! The layer that refuses calls at once when as many are under way as the server can take.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use http::Response;
use http_body_util::BodyExt as _;
use tokio::sync::Semaphore;

use crate::policy;
use crate::status::{Code, Failure, Reason};

/// When a refused caller may come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The places for calls under way.
#[derive(Clone)]
pub(crate) struct Overload(Arc<Semaphore>);

impl Overload {
    pub(super) fn new(maximum_calls: usize) -> Self {
        Self(Arc::new(Semaphore::new(maximum_calls)))
    }
}

/// Takes a place until the last byte of the answer; health always has one.
pub(crate) async fn shed(
    State(overload): State<Overload>,
    request: Request,
    next: Next,
) -> Response<Body> {
    if policy::is_health(request.uri().path()) {
        return next.run(request).await;
    }
    let Ok(place) = overload.0.try_acquire_owned() else {
        return overloaded().into_response();
    };
    let response = next.run(request).await;
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _until_the_end = &place;
            frame
        }))
    })
}

fn overloaded() -> Failure {
    let message = "The service has as many calls as it can take: try again shortly.";
    Failure::new(Code::ResourceExhausted, Reason::Overloaded, message).retry_after(RETRY_AFTER)
}
