//! The calls of the contracts, one a file: decode, ask the domain, encode.

mod begin_sign_in;
mod check_session;
mod complete_sign_in;
mod end_session;
mod get_me;

use std::sync::Arc;
use std::time::Duration;

use bionicpro_proto::auth::v1::{
    BeginSignInRequest, BeginSignInResponse, CheckSessionRequest, CheckSessionResponse,
    CompleteSignInRequest, CompleteSignInResponse, EndSessionRequest, EndSessionResponse,
    GetMeRequest, GetMeResponse, account_service_server::AccountService,
    session_service_server::SessionService,
};
use tonic::{Request, Response, Status};

use crate::{
    session::Sessions,
    sign_in::SignIns,
    store::{keycloak::Keycloak, redis::Redis},
};

/// The domain that the calls speak to.
pub(crate) struct App {
    /// Sessions.
    pub(crate) sessions: Arc<Sessions<Redis, Keycloak>>,
    /// Sign-ins.
    pub(crate) sign_ins: Arc<SignIns<Redis, Redis, Keycloak>>,
}

/// `bionicpro.auth.v1.SessionService`.
pub(crate) struct SessionRpcs(pub(crate) Arc<App>);

/// `bionicpro.auth.v1.AccountService`.
pub(crate) struct Account;

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl SessionService for SessionRpcs {
    async fn begin_sign_in(
        &self,
        request: Request<BeginSignInRequest>,
    ) -> Answer<BeginSignInResponse> {
        begin_sign_in::handle(&self.0, request).await
    }

    async fn complete_sign_in(
        &self,
        request: Request<CompleteSignInRequest>,
    ) -> Answer<CompleteSignInResponse> {
        complete_sign_in::handle(&self.0, request).await
    }

    async fn check_session(
        &self,
        request: Request<CheckSessionRequest>,
    ) -> Answer<CheckSessionResponse> {
        check_session::handle(&self.0, request).await
    }

    async fn end_session(&self, request: Request<EndSessionRequest>) -> Answer<EndSessionResponse> {
        end_session::handle(&self.0, request).await
    }
}

#[tonic::async_trait]
impl AccountService for Account {
    async fn get_me(&self, request: Request<GetMeRequest>) -> Answer<GetMeResponse> {
        get_me::handle(&request)
    }
}

/// A duration as the contracts write it.
fn duration(duration: Duration) -> prost_types::Duration {
    duration.try_into().unwrap_or(prost_types::Duration {
        seconds: i64::MAX,
        nanos: 0,
    })
}
