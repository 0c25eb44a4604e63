//! Everything that can go wrong in this service, mapped once to a status.

use std::time::Duration;

use bionicpro_mesh::status::{Code, Failure, Reason};
use tonic::Status;

use crate::identity_provider::ProviderError;

/// A part that this service needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dependency {
    /// The session store.
    Redis,
    /// The identity provider.
    Keycloak,
}

impl Dependency {
    /// The name that readiness and errors use.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Keycloak => "keycloak",
        }
    }
}

/// Why a call failed. No variant carries a token, ticket, code or personal datum.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// `return_to` leads elsewhere.
    #[error("return_to must be a path of the application that begins with one slash.")]
    ReturnToForeign,
    /// The attempt is unknown, used, expired, or another browser's.
    #[error("This sign-in cannot be completed here any more: begin it again.")]
    AttemptInvalid,
    /// The identity provider refused, with its error code.
    #[error("The identity provider refused the sign-in: try again, or with another account.")]
    Refused(String),
    /// The identity provider's answer failed a check, named for the log.
    #[error("The identity provider's answer could not be trusted: begin the sign-in again.")]
    AnswerInvalid(&'static str),
    /// There is no session behind the ticket.
    #[error("There is no session: sign in.")]
    SessionNotFound,
    /// A part does not answer.
    #[error("{} does not answer", .0.name())]
    Unavailable(Dependency),
    /// Something that this service itself got wrong, named for the log.
    #[error("{0}")]
    Internal(&'static str),
}

impl Error {
    /// When trying again is worth while.
    pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(2);
}

impl From<ProviderError> for Error {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Refused(code) => Self::Refused(code),
            ProviderError::AnswerInvalid(check) => Self::AnswerInvalid(check),
            ProviderError::Unreached | ProviderError::Unavailable => {
                Self::Unavailable(Dependency::Keycloak)
            }
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let failure = |code, reason| Failure::new(code, reason, error.to_string());
        match &error {
            Error::ReturnToForeign => failure(Code::InvalidArgument, Reason::ReturnToForeign),
            Error::AttemptInvalid => {
                failure(Code::FailedPrecondition, Reason::SignInAttemptInvalid)
            }
            Error::Refused(code) => {
                failure(Code::PermissionDenied, Reason::SignInRefused).metadata("error", code)
            }
            Error::AnswerInvalid(check) => {
                tracing::warn!(check, "an answer of the identity provider failed a check");
                failure(Code::Unauthenticated, Reason::SignInAnswerInvalid)
            }
            Error::SessionNotFound => failure(Code::Unauthenticated, Reason::SessionNotFound),
            Error::Unavailable(dependency) => {
                Failure::unavailable(dependency.name()).retry_after(Error::RETRY_AFTER)
            }
            Error::Internal(cause) => {
                tracing::error!(cause, "the service failed");
                Failure::internal()
            }
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bionicpro_mesh::status;
    use tonic_types::StatusExt;

    use super::*;

    #[test]
    fn a_part_that_is_away_is_named_with_the_time_to_wait() {
        let status = Status::from(Error::Unavailable(Dependency::Redis));
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status::reason(&status), Some(Reason::DependencyUnavailable));
        assert_eq!(
            status.get_details_error_info().unwrap().metadata["dependency"],
            "redis"
        );
        let retry = status.get_details_retry_info().unwrap().retry_delay;
        assert_eq!(retry, Some(Error::RETRY_AFTER));
    }

    #[test]
    fn an_inner_fault_is_not_told() {
        let status = Status::from(Error::Internal("the cause"));
        assert_eq!(status.code(), Code::Internal);
        assert!(!format!("{status:?}").contains("the cause"));
    }
}
