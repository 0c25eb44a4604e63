//! Repeats a call where the contract says that a second execution does no harm and the answer
//! says that a second attempt may succeed.

use std::borrow::Cow;
use std::error::Error;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::iter::successors;
use std::time::Duration;

use bionicpro_proto::policy::Policy;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::time::{Instant, sleep};
use tonic::body::Body;
use tonic::transport::Channel as Transport;
use tonic::{Code, Status, TimeoutExpired};
use tower::{Service as _, ServiceExt as _};

use crate::deadline;
use crate::deadline::timeout_header;
use crate::status::Failure;

/// How often a call is sent at the most.
const ATTEMPTS: u32 = 3;
/// The pause before the second attempt; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(50);

/// The attempts at one call.
pub(super) struct Attempts {
    transport: Transport,
    repeatable: bool,
    deadline: Option<Instant>,
}

impl Attempts {
    pub(super) fn new(
        transport: Transport,
        policy: Option<&Policy>,
        deadline: Option<Instant>,
    ) -> Self {
        let repeatable = policy.is_some_and(|policy| policy.idempotency.is_repeatable());
        Self {
            transport,
            repeatable,
            deadline,
        }
    }

    /// Sends the call until it is answered or no attempt is left.
    pub(super) async fn send(mut self, request: Request<Body>) -> Result<Response<Body>, Status> {
        if !self.repeatable {
            return self.attempt(request).await;
        }
        // The build sees to it that a repeatable method takes one message, not a stream.
        let (parts, body) = request.into_parts();
        let body: Bytes = body.collect().await?.to_bytes();
        let mut number = 1;
        loop {
            let copy = Request::from_parts(parts.clone(), Body::new(Full::new(body.clone())));
            let answer = self.attempt(copy).await;
            if number == ATTEMPTS || !may_succeed_later(&answer) {
                return answer;
            }
            sleep(jittered(PAUSE * 2_u32.pow(number - 1))).await;
            number += 1;
        }
    }

    async fn attempt(&mut self, mut request: Request<Body>) -> Result<Response<Body>, Status> {
        let service = request.uri().path().trim_start_matches('/');
        let service = service.split('/').next().unwrap_or_default().to_owned();
        if let Some((name, value)) = self.deadline.and_then(timeout_header) {
            request.headers_mut().insert(name, value);
        }
        let sent = async { self.transport.ready().await?.call(request).await };
        sent.await.map_err(|error| {
            tracing::debug!(%error, service, "a call did not reach its service");
            // tonic keeps the time-out too, and may be the first to notice.
            match is_timeout(&error) {
                true => deadline::exceeded().into(),
                false => Failure::unavailable(&service).into(),
            }
        })
    }
}

fn is_timeout(error: &tonic::transport::Error) -> bool {
    let first: &dyn Error = error;
    successors(Some(first), |&error| error.source()).any(|it| it.is::<TimeoutExpired>())
}

fn may_succeed_later(answer: &Result<Response<Body>, Status>) -> bool {
    status(answer).is_some_and(|status| status.code() == Code::Unavailable)
}

/// How a call ended that has no answer; none where it has one, or began to have it.
pub(super) fn status(answer: &Result<Response<Body>, Status>) -> Option<Cow<'_, Status>> {
    match answer {
        Ok(response) => Status::from_header_map(response.headers()).map(Cow::Owned),
        Err(status) => Some(Cow::Borrowed(status)),
    }
}

/// Between half of the pause and all of it, so that callers do not come back together.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 512;
    pause / 2 + pause / 2 * u32::try_from(random).unwrap_or(0) / 512
}
