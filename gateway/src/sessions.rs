//! What the gateway asks auth: it begins and completes sign-ins, checks and ends
//! sessions. The gateway itself keeps nothing of a session.

use std::time::Duration;

use bionicpro_mesh::client::Channel;
use bionicpro_mesh::status::{self, Reason};
use bionicpro_mesh::telemetry;
use bionicpro_proto::auth::v1::session_service_client::SessionServiceClient;
use bionicpro_proto::auth::v1::{
    BeginSignInRequest, CheckSessionRequest, CompleteSignInRequest, EndSessionRequest,
    complete_sign_in_request,
};
use http::{HeaderMap, HeaderName};
use tonic::Status;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tracing::{Instrument as _, Span};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// How long the check of a session may take, a renewal of its token included.
const CHECK_LIMIT: Duration = Duration::from_secs(4);

/// Auth, as one worker reaches it.
pub(crate) struct Sessions {
    auth: SessionServiceClient<Channel>,
    health: HealthClient<Channel>,
}

/// A sign-in that has begun.
pub(crate) struct Attempt {
    pub(crate) id: String,
    pub(crate) ticket: String,
    pub(crate) lifetime: Duration,
    pub(crate) authorization_url: String,
}

/// What a browser brings back from the identity provider.
pub(crate) struct Return {
    pub(crate) state: String,
    pub(crate) attempt_ticket: String,
    pub(crate) issuer: String,
    pub(crate) answer: Answer,
    /// Empty when the browser had no session.
    pub(crate) previous_session_ticket: String,
}

/// The identity provider's answer.
pub(crate) enum Answer {
    Code(String),
    Error(String),
}

/// A session that has begun.
pub(crate) struct Session {
    pub(crate) ticket: String,
    pub(crate) lifetime: Duration,
    pub(crate) return_to: String,
}

/// Why auth did not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It refused, for a reason that concerns the browser.
    Refused(Reason),
    /// It cannot be asked, or failed: nothing is known of the session.
    Unavailable,
}

impl Sessions {
    /// Speaks to auth over a channel of the worker's runtime.
    pub(crate) fn new(channel: &Channel) -> Self {
        Self {
            auth: SessionServiceClient::new(channel.clone()),
            health: HealthClient::new(channel.clone()),
        }
    }

    /// Begins a sign-in that returns to a page of the application.
    pub(crate) async fn begin(&self, return_to: String, locale: &str) -> Result<Attempt, Failure> {
        let request = BeginSignInRequest {
            return_to,
            locale: locale.to_owned(),
        };
        let begun = self.auth.clone().begin_sign_in(request).await;
        let begun = begun.map_err(|status| {
            // The only field that a person can get wrong here.
            match failure(&status) {
                Failure::Refused(Reason::InvalidField) => Failure::Refused(Reason::ReturnToForeign),
                other => other,
            }
        })?;
        let begun = begun.into_inner();
        Ok(Attempt {
            id: begun.attempt_id,
            ticket: begun.attempt_ticket,
            lifetime: duration(begun.expires_in),
            authorization_url: begun.authorization_url,
        })
    }

    /// Completes a sign-in and opens a session.
    pub(crate) async fn complete(&self, returned: Return) -> Result<Session, Failure> {
        let request = CompleteSignInRequest {
            state: returned.state,
            attempt_ticket: returned.attempt_ticket,
            issuer: returned.issuer,
            answer: Some(match returned.answer {
                Answer::Code(code) => complete_sign_in_request::Answer::Code(code),
                Answer::Error(error) => complete_sign_in_request::Answer::Error(error),
            }),
            previous_session_ticket: returned.previous_session_ticket,
        };
        let completed = self.auth.clone().complete_sign_in(request).await;
        let completed = completed.map_err(|status| match failure(&status) {
            // Every field comes from the address and cookies that the browser brought.
            Failure::Refused(Reason::InvalidField) => {
                Failure::Refused(Reason::SignInAttemptInvalid)
            }
            other => other,
        })?;
        let completed = completed.into_inner();
        Ok(Session {
            ticket: completed.session_ticket,
            lifetime: duration(completed.expires_in),
            return_to: completed.return_to,
        })
    }

    /// Answers the access token of the session for which `span` is to work. The trace that a browser
    /// sends is believed only once its session is known: the check is then a trace of its own, which
    /// is linked with that one.
    pub(crate) async fn check_for(
        &self,
        span: &Span,
        headers: &HeaderMap,
        ticket: &str,
        trace_ratio: f64,
    ) -> Result<String, Failure> {
        if !headers.contains_key(TRACEPARENT) {
            return self.check(ticket).instrument(span.clone()).await;
        }
        let check = tracing::info_span!(parent: None, "check session");
        let token = self.check(ticket).instrument(check.clone()).await?;
        telemetry::adopt(span, headers, trace_ratio);
        telemetry::link(span, &check);
        Ok(token)
    }

    async fn check(&self, ticket: &str) -> Result<String, Failure> {
        let request = CheckSessionRequest {
            session_ticket: ticket.to_owned(),
        };
        let mut auth = self.auth.clone();
        // Cut off before the call's own deadline, so that a frozen auth is told
        // from a slow service.
        match tokio::time::timeout(CHECK_LIMIT, auth.check_session(request)).await {
            Ok(Ok(checked)) => Ok(checked.into_inner().access_token),
            Ok(Err(status)) => Err(failure(&status)),
            Err(_) => Err(Failure::Unavailable),
        }
    }

    /// Ends a session, or finds that it has ended. Answers whether the identity
    /// provider confirmed that its own has ended too.
    pub(crate) async fn end(&self, ticket: &str) -> Result<bool, Failure> {
        let request = EndSessionRequest {
            session_ticket: ticket.to_owned(),
        };
        match self.auth.clone().end_session(request).await {
            Ok(ended) => Ok(ended.into_inner().identity_provider_session_ended),
            Err(status) => Err(failure(&status)),
        }
    }

    /// Whether auth answers and reports itself ready.
    pub(crate) async fn ready(&self) -> bool {
        let checked = self
            .health
            .clone()
            .check(HealthCheckRequest::default())
            .await;
        checked.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
    }
}

/// Only what auth says of the browser's own doing is a refusal. Everything else,
/// also that it does not accept the gateway itself, leaves the session alone.
fn failure(status: &Status) -> Failure {
    match status::reason(status) {
        Some(
            reason @ (Reason::InvalidField
            | Reason::SessionNotFound
            | Reason::SignInAttemptInvalid
            | Reason::SignInRefused
            | Reason::SignInAnswerInvalid
            | Reason::ReturnToForeign),
        ) => Failure::Refused(reason),
        _ => {
            tracing::warn!(code = ?status.code(), status_message = status.message(), "auth did not answer");
            Failure::Unavailable
        }
    }
}

fn duration(given: Option<prost_types::Duration>) -> Duration {
    given
        .and_then(|given| given.try_into().ok())
        .unwrap_or_default()
}
