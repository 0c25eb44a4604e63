//! Why the gateway itself refuses a call, and how a browser is told.

use bionicpro_mesh::deadline;
use bionicpro_mesh::status::{Code, Failure, Reason};
use http::header::SET_COOKIE;
use http::{HeaderMap, Response};
use tonic::Status;
use tonic::body::Body;

use crate::calls::Unreachable;
use crate::cookies;
use crate::sessions;

/// Why a call was refused or broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It does not come from the application's own pages.
    CrossSite,
    /// There is no such method for browsers.
    MethodUnknown,
    /// It brings no session.
    NoSession,
    /// Auth does not know its session: it ended, expired or never was.
    SessionNotFound,
    /// The named service does not answer, or broke off.
    DependencyUnavailable(&'static str),
    /// The time is up.
    DeadlineExceeded,
}

impl Refusal {
    /// The answer to a call that did not get through: its status in the headers.
    pub(crate) fn to_response(self) -> Response<Body> {
        let mut response = self.to_status().into_http();
        if self == Self::SessionNotFound {
            response
                .headers_mut()
                .insert(SET_COOKIE, cookies::drop_session());
        }
        response
    }

    /// The end of an answer that had begun.
    pub(crate) fn to_trailers(self) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        // Fails only on metadata that we do not add.
        let _ = self.to_status().add_header(&mut trailers);
        trailers
    }

    /// The gRPC status code.
    pub(crate) fn code(self) -> Code {
        self.to_status().code()
    }

    fn to_status(self) -> Status {
        match self {
            Self::CrossSite => Failure::new(
                Code::PermissionDenied,
                Reason::CrossSiteRequest,
                "Call from the application's own pages, with the header x-bionicpro-csrf.",
            ),
            Self::MethodUnknown => Failure::new(
                Code::Unimplemented,
                Reason::MethodUnknown,
                "There is no such method for browsers; see the contracts for those marked so.",
            ),
            Self::NoSession | Self::SessionNotFound => Failure::new(
                Code::Unauthenticated,
                Reason::SessionNotFound,
                "Sign in: there is no session.",
            ),
            Self::DependencyUnavailable(dependency) => Failure::unavailable(dependency),
            Self::DeadlineExceeded => deadline::exceeded(),
        }
        .into()
    }
}

impl From<Unreachable> for Refusal {
    fn from(unreachable: Unreachable) -> Self {
        Self::DependencyUnavailable(unreachable.upstream)
    }
}

impl From<sessions::Failure> for Refusal {
    fn from(failure: sessions::Failure) -> Self {
        match failure {
            sessions::Failure::Refused(Reason::SessionNotFound) => Self::SessionNotFound,
            sessions::Failure::Refused(_) => Self::NoSession,
            sessions::Failure::Unavailable => Self::DependencyUnavailable("auth"),
        }
    }
}
