//! The span and the duration of a call, at the server and at the client.

use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body::{Frame, SizeHint};
use opentelemetry::metrics::Histogram;
use opentelemetry::{KeyValue, global};
use tonic::{Code, Status};
use tracing::Span;
use tracing::field::Empty;

use super::propagation;
use crate::identity::Caller;
use crate::policy::{self, Policies};

/// The bounds of the durations, in seconds (semantic conventions).
const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// What a method that is not in a contract is called, so that nobody can invent names.
const OTHER: &str = "_OTHER";

/// The service of probes.
const HEALTH: &str = "grpc.health.v1.Health/";

static SERVER: LazyLock<Histogram<f64>> = LazyLock::new(|| histogram("rpc.server.call.duration"));
static CLIENT: LazyLock<Histogram<f64>> = LazyLock::new(|| histogram("rpc.client.call.duration"));

fn histogram(name: &'static str) -> Histogram<f64> {
    let meter = global::meter("bionicpro-mesh");
    meter
        .f64_histogram(name)
        .with_unit("s")
        .with_boundaries(BOUNDS.to_vec())
        .build()
}

/// Which end of a call is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Server,
    Client,
}

/// A call from its first header to its last trailer.
#[derive(Debug)]
pub struct Call {
    side: Side,
    method: String,
    span: Span,
    began: Instant,
    ended: bool,
}

/// The span of a call that is not known yet to be anybody's: nothing has run in it, so whose trace
/// it belongs to is still open.
#[derive(Clone)]
pub(crate) struct Open(Span);

impl Open {
    /// The span of a request that [`observe`] has seen; none of others.
    pub(crate) fn of(request: &mut Request) -> Self {
        let observed = request.extensions_mut().remove();
        observed.unwrap_or_else(|| Self(Span::none()))
    }

    /// The span for all that is done for `caller`. It continues the trace that the request came
    /// with if a token says who sent that: a service's, or a user's, which nobody holds but the
    /// gateway and whom it was forwarded to. Anybody else could write into others' traces and have
    /// all that they send recorded: what they ask for begins a trace of its own.
    pub(crate) fn settle(self, caller: &Caller, request: &Request) -> Span {
        let Self(span) = self;
        if *caller != Caller::Public {
            propagation::continue_from(&span, propagation::extract(request.headers()));
        }
        span
    }
}

/// The layer that gives a call its span and measures it. Layers further in say when something runs
/// in the span ([`Open`]).
pub(crate) async fn observe(
    State(policies): State<Policies>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let path = request.uri().path();
    // Probes come every second and would bury everything else.
    if policy::is_health(path) {
        return next.run(request).await;
    }
    let call = match policies.of(path) {
        Some(_) => Call::server(path.trim_start_matches('/')),
        None => Call::server(OTHER),
    };
    request.extensions_mut().insert(Open(call.span.clone()));
    let response = next.run(request).await;
    call.watch(response).map(Body::new)
}

impl Call {
    /// A call to this program.
    #[must_use]
    pub fn server(method: &str) -> Self {
        let span = tracing::info_span!(
            "rpc",
            otel.name = method,
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = method,
            rpc.response.status_code = Empty,
            error.type = Empty,
        );
        Self::new(Side::Server, method, span)
    }

    /// A call to another program.
    #[must_use]
    pub fn client(method: &str) -> Self {
        // As at the server: whether it is ready is asked every few seconds.
        if method.starts_with(HEALTH) {
            let mut unobserved = Self::new(Side::Client, method, Span::none());
            unobserved.ended = true;
            return unobserved;
        }
        let span = tracing::info_span!(
            "rpc",
            otel.name = method,
            otel.kind = "client",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = method,
            rpc.response.status_code = Empty,
            error.type = Empty,
        );
        Self::new(Side::Client, method, span)
    }

    fn new(side: Side, method: &str, span: Span) -> Self {
        Self {
            side,
            method: method.to_owned(),
            span,
            began: Instant::now(),
            ended: false,
        }
    }

    /// The call's span.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Follows the answer to its end.
    pub fn watch<B>(mut self, response: Response<B>) -> Response<ObservedBody<B>> {
        if let Some(status) = Status::from_header_map(response.headers()) {
            self.end(status.code());
        }
        response.map(|inner| ObservedBody {
            inner: Box::pin(inner),
            call: self,
        })
    }

    /// Notes how the call ended; only the first time counts.
    pub fn end(&mut self, code: Code) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let name = code_name(code);
        self.span.record("rpc.response.status_code", name);
        let mut attributes = vec![
            KeyValue::new("rpc.system.name", "grpc"),
            KeyValue::new("rpc.method", self.method.clone()),
            KeyValue::new("rpc.response.status_code", name),
        ];
        if is_error(self.side, code) {
            self.span.record("otel.status_code", "ERROR");
            self.span.record("error.type", name);
            attributes.push(KeyValue::new("error.type", name));
        }
        let durations = if self.side == Side::Server {
            &SERVER
        } else {
            &CLIENT
        };
        durations.record(self.began.elapsed().as_secs_f64(), &attributes);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // The other side went away before the end.
        self.end(Code::Cancelled);
    }
}

/// A body that notes its call's status.
#[derive(Debug)]
pub struct ObservedBody<B> {
    inner: Pin<Box<B>>,
    call: Call,
}

impl<B: http_body::Body<Data = Bytes>> http_body::Body for ObservedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        let entered = this.call.span.enter();
        let frame = ready!(this.inner.as_mut().poll_frame(context));
        drop(entered);
        match &frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.call.end(code(trailers));
                }
            }
            Some(Err(_)) => this.call.end(Code::Unavailable),
            None => this.call.end(Code::Unknown),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn code(trailers: &HeaderMap) -> Code {
    Status::from_header_map(trailers).map_or(Code::Unknown, |status| status.code())
}

/// Which codes are failures: at the server only those that are its own fault.
fn is_error(side: Side, code: Code) -> bool {
    match side {
        Side::Client => code != Code::Ok,
        Side::Server => matches!(
            code,
            Code::Unknown
                | Code::DeadlineExceeded
                | Code::Unimplemented
                | Code::Internal
                | Code::Unavailable
                | Code::DataLoss
        ),
    }
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
