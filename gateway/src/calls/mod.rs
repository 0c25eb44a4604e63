//! Browsers' calls: grpc-web in, gRPC out, the messages as bytes in both
//! directions. A method that the contracts mark `browser` passes with nothing
//! to be done here.

mod answer;
mod content_type;
mod request;
mod route;
mod upstream;

use std::convert::Infallible;
use std::sync::Arc;

use bionicpro_mesh::deadline::{self, DeadlineBody};
use bionicpro_mesh::telemetry::Call;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::Instant;
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::{Layer, ServiceExt, service_fn};
use tracing::{Instrument, Span};

use crate::cookies;
use crate::error::Refusal;
use crate::origin::Origin;
use crate::sessions::Sessions;

use route::Route;

pub use route::Policies;
pub(crate) use route::Upstreams;
pub(crate) use upstream::Unreachable;

/// What the calls work with.
pub(crate) struct Calls {
    pub(crate) origin: Origin,
    pub(crate) sessions: Sessions,
    pub(crate) upstreams: Upstreams,
    /// The share of the traces begun by pages that is recorded, 0 to 1.
    pub(crate) trace_ratio: f64,
}

/// Answers a grpc-web call.
pub(crate) async fn answer(calls: &Arc<Calls>, mut request: Request<Incoming>) -> Response<Body> {
    if request.method() != Method::POST {
        return bare(StatusCode::METHOD_NOT_ALLOWED);
    }
    if !content_type::normalise(request.headers_mut()) {
        return bare(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let calls = calls.clone();
    let grpc = service_fn(move |request| {
        let calls = calls.clone();
        async move { Ok::<_, Infallible>(calls.answer_grpc(request).await) }
    });
    let Ok(response) = GrpcWebLayer::new().layer(grpc).oneshot(request).await;
    answer::gathered(response).await
}

impl Calls {
    async fn answer_grpc(&self, request: Request<Body>) -> Response<Body> {
        match self.forward(request).await {
            Ok(response) => response,
            Err(refusal) => refusal.to_response(),
        }
    }

    async fn forward(&self, request: Request<Body>) -> Result<Response<Body>, Refusal> {
        if !self.origin.sent(request.headers()) {
            return Err(Refusal::CrossSite);
        }
        let path = request.uri().path();
        let route = self.upstreams.route(path)?;
        let mut call = Call::server(path.trim_start_matches('/'));
        match self.admit_in_time(request, &route, call.span()).await {
            Ok(response) => Ok(call.watch(response).map(Body::new)),
            Err(refusal) => {
                call.end(refusal.code());
                Err(refusal)
            }
        }
    }

    async fn admit_in_time(
        &self,
        request: Request<Body>,
        route: &Route<'_>,
        span: &Span,
    ) -> Result<Response<Body>, Refusal> {
        let Some(budget) = deadline::budget(route.policy, request.headers()) else {
            return self.admit(request, route, None, span).await;
        };
        let deadline = Instant::now() + budget;
        let admitted = self.admit(request, route, Some(deadline), span);
        let response = tokio::time::timeout_at(deadline, admitted)
            .await
            .map_err(|_| Refusal::DeadlineExceeded)??;
        Ok(response.map(|body| Body::new(DeadlineBody::new(body, deadline))))
    }

    async fn admit(
        &self,
        request: Request<Body>,
        route: &Route<'_>,
        deadline: Option<Instant>,
        span: &Span,
    ) -> Result<Response<Body>, Refusal> {
        let token = self.access_token(request.headers(), span).await?;
        let request = request::forwarded(request, &token, deadline, span)?;
        let answer = route
            .upstream
            .send(request)
            .instrument(span.clone())
            .await?;
        let mut response = answer::forwarded(answer, route.upstream.name())?;
        if !route.policy.server_streaming {
            response.extensions_mut().insert(answer::Unary);
        }
        Ok(response)
    }

    /// The token of the browser's session.
    async fn access_token(&self, headers: &HeaderMap, span: &Span) -> Result<String, Refusal> {
        let ticket = cookies::session(headers).ok_or(Refusal::NoSession)?;
        let check = self
            .sessions
            .check_for(span, headers, ticket, self.trace_ratio);
        Ok(check.await?)
    }
}

fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
