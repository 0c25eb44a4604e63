//! The layer that verifies the bearer token (RFC 6750) and gives the request its [`Caller`].

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use bionicpro_proto::policy::Audience;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Response};
use tracing::Instrument as _;

use super::{Caller, Verifier, VerifyError};
use crate::policy::Policies;
use crate::status::{Code, Failure, Reason};
use crate::telemetry::rpc::Open;

tokio::task_local! {
    static TOKEN: Option<HeaderValue>;
}

/// The `authorization` of the call that this task handles, for calls that are made on its behalf.
/// Streams are sent after the handler and tasks run beside it: they have none.
pub(crate) fn forwarded_token() -> Option<HeaderValue> {
    TOKEN.try_with(Clone::clone).ok().flatten()
}

/// What the layer needs.
#[derive(Clone)]
pub(crate) struct Identification {
    pub(crate) verifier: Verifier,
    pub(crate) policies: Policies,
}

/// Refuses a token that is not accepted; a call without one goes on as [`Caller::Public`].
/// Where anybody may call, a token is not looked at. From here on the call runs in its span.
pub(crate) async fn identify(
    State(identification): State<Identification>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let policy = identification.policies.of(request.uri().path());
    let public = policy.is_some_and(|policy| policy.audiences.contains(&Audience::Public));
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .cloned()
        .filter(|_| !public);
    let caller = match bearer(request.headers()).filter(|_| !public) {
        Some(Ok(token)) => identification.verifier.verify(token).await.map_err(failure),
        Some(Err(failure)) => Err(failure),
        None => Ok(Caller::Public),
    };
    match caller {
        Ok(caller) => {
            let span = Open::of(&mut request).settle(&caller, &request);
            request.extensions_mut().insert(caller);
            let answer = TOKEN.scope(header, next.run(request));
            answer.instrument(span).await
        }
        Err(failure) => failure.into_response(),
    }
}

fn bearer(headers: &HeaderMap) -> Option<Result<&str, Failure>> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok();
    let token = value
        .and_then(|value| value.split_once(' '))
        .and_then(|(scheme, token)| {
            scheme
                .eq_ignore_ascii_case("bearer")
                .then_some(token.trim_start())
        });
    Some(token.ok_or_else(|| failure(VerifyError::Invalid)))
}

fn failure(error: VerifyError) -> Failure {
    let refused = |reason, message| Failure::new(Code::Unauthenticated, reason, message);
    match error {
        VerifyError::Invalid => refused(
            Reason::TokenInvalid,
            "The token is not valid: send `authorization: Bearer` with a token of this system.",
        ),
        VerifyError::Expired => refused(
            Reason::TokenExpired,
            "The token has expired: get a new one and call again.",
        ),
        VerifyError::Audience => refused(
            Reason::TokenAudience,
            "The token is for another service: get one with this service among its audiences.",
        ),
        VerifyError::Unavailable => Failure::unavailable("identity-provider"),
    }
}
