//! The layer that keeps the deadline of a call that came in.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use bionicpro_proto::policy::{Deadline, Policy};
use http::{HeaderMap, Response};
use tokio::time::{Instant, timeout_at};

use super::budget::DEADLINE;
use super::{DeadlineBody, GRPC_TIMEOUT, exceeded, parse_timeout};
use crate::policy::Policies;

/// Ends the call at its deadline.
pub(crate) async fn keep(
    State(policies): State<Policies>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let policy = policies.of(request.uri().path());
    let Some(budget) = policy.and_then(|policy| budget(policy, request.headers())) else {
        return next.run(request).await;
    };
    let deadline = Instant::now() + budget;
    match timeout_at(deadline, DEADLINE.scope(deadline, next.run(request))).await {
        Ok(response) => response.map(|body| Body::new(DeadlineBody::new(body, deadline))),
        Err(_) => exceeded().into_response(),
    }
}

/// How long a call may take: nothing where there is no limit.
#[must_use]
pub fn budget(policy: &Policy, headers: &HeaderMap) -> Option<Duration> {
    let Deadline::Bounded { default, maximum } = policy.deadline else {
        return None;
    };
    let asked = headers
        .get(&GRPC_TIMEOUT)
        .and_then(|value| parse_timeout(value.to_str().ok()?));
    Some(asked.unwrap_or(default).min(maximum))
}
