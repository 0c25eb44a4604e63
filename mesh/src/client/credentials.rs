//! What a call brings to say on whose behalf it is made.

use http::HeaderValue;
use tonic::Status;

use crate::identity::{ServiceToken, forwarded_token};
use crate::status::Failure;

/// On whose behalf calls are made.
#[derive(Clone)]
pub enum Credentials {
    /// This program's own.
    Service(ServiceToken),
    /// The caller's whose call is being handled: the token is passed on.
    ForwardCaller,
    /// Each call's own: its request carries `authorization`.
    OfEachCall,
}

impl Credentials {
    pub(super) async fn authorization(&self) -> Result<Option<HeaderValue>, Status> {
        match self {
            Self::Service(token) => match token.authorization().await {
                Ok(authorization) => Ok(Some(authorization)),
                Err(_) => Err(Failure::unavailable("identity-provider").into()),
            },
            Self::ForwardCaller => Ok(forwarded_token()),
            Self::OfEachCall => Ok(None),
        }
    }

    /// What was brought was not accepted.
    pub(super) fn refused(&self, authorization: &HeaderValue) {
        if let Self::Service(token) = self {
            token.refused(authorization);
        }
    }
}
