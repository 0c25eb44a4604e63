//! The one way to call another service: connects when it is needed, balances over addresses,
//! forwards deadline and trace, brings a token, and repeats only what the contract allows.

mod credentials;
mod retry;

#[cfg(test)]
mod tests;

use std::task::{Context, Poll};
use std::time::Duration;

use bionicpro_proto::policy::{self, Policy};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::{Channel as Transport, Endpoint};
use tower::Service;
use tracing::{Instrument as _, Span};

use crate::deadline::{self, DeadlineBody};
use crate::status::{self, Reason};
use crate::telemetry;
use crate::telemetry::rpc::Call;
pub use credentials::Credentials;
use retry::Attempts;

/// The HTTP/2 windows, in bytes, as the server's.
const WINDOW: u32 = 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// The addresses cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// There is none.
    #[error("a channel needs an address")]
    NoAddress,
    /// One is not a URL.
    #[error("an address is not a URL: {0}")]
    Address(#[from] tonic::transport::Error),
}

/// Calls a service at one or several addresses; for the generated clients. Cheap to clone.
#[derive(Clone)]
pub struct Channel {
    transport: Transport,
    credentials: Credentials,
}

impl Channel {
    /// A channel to `addresses` (for example `http://127.0.0.1:7051`); connects at the first call.
    /// Needs a running tokio runtime.
    ///
    /// # Errors
    /// There is no address, or one is not a URL.
    pub fn new(
        addresses: impl IntoIterator<Item = impl Into<String>>,
        credentials: Credentials,
    ) -> Result<Self, ChannelError> {
        let endpoints = addresses
            .into_iter()
            .map(|address| endpoint(address.into()));
        let mut endpoints = endpoints.collect::<Result<Vec<_>, _>>()?;
        let transport = match endpoints.len() {
            0 => return Err(ChannelError::NoAddress),
            1 => endpoints.remove(0).connect_lazy(),
            _ => Transport::balance_list(endpoints.into_iter()),
        };
        Ok(Self {
            transport,
            credentials,
        })
    }

    async fn send(self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let path = request.uri().path();
        let policy = policy::of(path);
        let deadline = deadline(policy, &request);
        let mut call = Call::client(path.trim_start_matches('/'));
        let span = call.span().clone();
        let sent = self.authorized(request, policy, deadline, &span);
        let response = match deadline {
            Some(deadline) => timeout_at(deadline, sent)
                .await
                .unwrap_or_else(|_| Err(deadline::exceeded().into())),
            None => sent.await,
        };
        match response {
            Ok(response) => Ok(call.watch(response).map(|body| match deadline {
                Some(deadline) => Body::new(DeadlineBody::new(body, deadline)),
                None => Body::new(body),
            })),
            Err(status) => {
                call.end(status.code());
                Err(status)
            }
        }
    }

    /// Gets the token and sends the call: both are inside of its deadline and its span.
    async fn authorized(
        self,
        mut request: Request<Body>,
        policy: Option<&Policy>,
        deadline: Option<Instant>,
        span: &Span,
    ) -> Result<Response<Body>, Status> {
        let authorization = self.credentials.authorization().await?;
        if let Some(authorization) = authorization.clone() {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        telemetry::inject(span, request.headers_mut());
        let attempts = Attempts::new(self.transport, policy, deadline);
        let answer = attempts.send(request).instrument(span.clone()).await;
        if let Some(authorization) = authorization
            && retry::status(&answer).is_some_and(|status| is_about_the_token(&status))
        {
            self.credentials.refused(&authorization);
        }
        answer
    }
}

/// Whether a service does not accept the token. UNAUTHENTICATED alone may be about somebody else: a
/// session of a browser that has ended, for one.
fn is_about_the_token(status: &Status) -> bool {
    let reason = status::reason(status);
    reason.is_some_and(|reason| {
        matches!(
            reason,
            Reason::TokenInvalid | Reason::TokenExpired | Reason::TokenAudience
        )
    })
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response<Body>, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.clone().send(request).boxed()
    }
}

fn endpoint(address: String) -> Result<Endpoint, tonic::transport::Error> {
    Ok(Endpoint::from_shared(address)?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_while_idle(true))
}

/// When a call must have ended: what is asked for or the method's default, and never later than
/// the call on whose behalf it is made.
fn deadline(policy: Option<&Policy>, request: &Request<Body>) -> Option<Instant> {
    let budget = policy.and_then(|policy| deadline::budget(policy, request.headers()));
    let own = budget.map(|budget| Instant::now() + budget);
    own.into_iter().chain(deadline::current()).min()
}
