//! How a failure is said: `google.rpc.Status` with `ErrorInfo` and, where a retry helps,
//! `RetryInfo` (AIP-193). Services map their own errors to a [`Failure`]; nobody else builds a
//! status.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Body;
use bionicpro_proto::DOMAIN;
pub use bionicpro_proto::error::v1::Reason;
use http::Response;
pub use tonic::Code;
use tonic::Status;
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::telemetry;

/// How long a caller waits before it asks again for a part that is away.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A call's failure.
#[derive(Clone, Debug)]
pub struct Failure {
    code: Code,
    reason: Reason,
    message: String,
    metadata: HashMap<String, String>,
    fields: Vec<FieldViolation>,
    retry_after: Option<Duration>,
}

impl Failure {
    /// A failure with a sentence that says what to do. Neither it nor the metadata may hold
    /// personal data, a token or a secret.
    #[must_use]
    pub fn new(code: Code, reason: Reason, message: impl Into<String>) -> Self {
        let (message, metadata) = (message.into(), HashMap::new());
        Self {
            code,
            reason,
            message,
            metadata,
            fields: Vec::new(),
            retry_after: None,
        }
    }

    /// `UNAVAILABLE`: the part named `dependency` does not answer.
    #[must_use]
    pub fn unavailable(dependency: &str) -> Self {
        let message = "A part of the system does not answer: try again shortly.";
        Self::new(Code::Unavailable, Reason::DependencyUnavailable, message)
            .metadata("dependency", dependency)
            .retry_after(RETRY_AFTER)
    }

    /// `INTERNAL`: our own fault. What went wrong belongs into the log, not to the caller.
    #[must_use]
    pub fn internal() -> Self {
        let message = "The service failed: report the time and the trace of this call.";
        Self::new(Code::Internal, Reason::Internal, message)
    }

    /// Why, for programs.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Adds a fact that a program can use.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: impl Into<String>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }

    /// Names a field of the request that is wrong, for example `period.day`, and what is.
    #[must_use]
    pub fn field(mut self, field: &str, problem: &str) -> Self {
        self.fields.push(FieldViolation::new(field, problem));
        self
    }

    /// Says when to call again.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Logs what the caller is not told: why a part is away, or what our own fault was.
    #[must_use]
    pub fn logged(self, cause: &dyn std::error::Error) -> Self {
        let cause = telemetry::with_sources(cause);
        match self.reason {
            Reason::DependencyUnavailable => tracing::warn!(error = cause, "a part is away"),
            Reason::Internal => tracing::error!(error = cause, "a call failed"),
            _ => {}
        }
        self
    }

    /// The failure as an answer without a message.
    pub(crate) fn into_response(self) -> Response<Body> {
        Status::from(self).into_http()
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let mut details =
            ErrorDetails::with_error_info(failure.reason.as_reason(), DOMAIN, failure.metadata);
        if !failure.fields.is_empty() {
            details.set_bad_request(failure.fields);
        }
        if let Some(delay) = failure.retry_after {
            details.set_retry_info(Some(delay));
        }
        Status::with_error_details(failure.code, failure.message, details)
    }
}

/// The reason that a status carries, where it is one of ours.
#[must_use]
pub fn reason(status: &Status) -> Option<Reason> {
    let info = status
        .get_details_error_info()
        .filter(|info| info.domain == DOMAIN)?;
    Reason::from_str_name(&format!("REASON_{}", info.reason))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_failure_carries_reason_metadata_and_retry() {
        let status = Status::from(Failure::unavailable("redis"));
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(reason(&status), Some(Reason::DependencyUnavailable));
        let info = status.get_details_error_info().unwrap();
        assert_eq!(
            (info.domain.as_str(), &info.metadata["dependency"]),
            (DOMAIN, &"redis".into())
        );
        assert_eq!(
            status.get_details_retry_info().unwrap().retry_delay,
            Some(RETRY_AFTER)
        );
    }

    #[test]
    fn a_wrong_field_is_named_in_a_bad_request() {
        let failure = Failure::new(Code::InvalidArgument, Reason::PeriodInvalid, "Correct it.");
        let status = Status::from(failure.field("period.day", "There is no such day."));
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, "period.day");
    }

    #[test]
    fn a_foreign_reason_is_not_taken_for_ours() {
        let details = ErrorDetails::with_error_info("RUN_NOT_FOUND", "elsewhere", []);
        let status = Status::with_error_details(Code::NotFound, "", details);
        assert_eq!(reason(&status), None);
    }
}
