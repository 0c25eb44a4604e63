//! The spans of plain HTTP: pages that are answered and requests that are sent (semantic
//! conventions for HTTP). Of an address they hold the route or the host, never the query.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::{Method, StatusCode};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

/// The methods of RFC 9110 and RFC 5789.
const KNOWN: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::CONNECT,
    Method::OPTIONS,
    Method::TRACE,
    Method::PATCH,
];
/// What any other is called; its span's name says `HTTP` in its place.
const OTHER: &str = "_OTHER";

/// The layer that puts a span around a page. It begins a trace: whoever asks for a page has not
/// shown yet who they are, and is not believed a trace of their own.
pub async fn observe(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("/", MatchedPath::as_str);
    let method = known(request.method());
    let name = format!("{} {route}", method.unwrap_or("HTTP"));
    let span = server(&name, method.unwrap_or(OTHER), route);
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    let failure = status.is_server_error().then_some(status);
    answered(&span, status, failure);
    response
}

/// The span of answering a request `GET route`, called by what is asked. It is not entered here:
/// once the sender is known, it may continue their trace (see [`super::adopt`]).
#[must_use]
pub fn get(name: &str, route: &str) -> Span {
    server(name, Method::GET.as_str(), route)
}

/// The span of answering a request, at the beginning of a trace.
fn server(name: &str, method: &str, route: &str) -> Span {
    tracing::info_span!(
        parent: None,
        "http",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        error.type = Empty,
    )
}

/// The name of a method that HTTP knows. Anybody can send a method of another name: as part of a
/// span's name it would be new time series with each.
fn known(method: &Method) -> Option<&str> {
    KNOWN.contains(method).then(|| method.as_str())
}

/// The span of a request to another party's server. Outside of a trace there is none: what is
/// fetched regularly would bury everything else.
#[must_use]
pub fn request(method: &Method, address: &str, port: u16) -> Span {
    if Span::current().is_none() {
        return Span::none();
    }
    tracing::info_span!(
        "http",
        otel.name = %method,
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = %method,
        server.address = address,
        server.port = i64::from(port),
        http.response.status_code = Empty,
        error.type = Empty,
    )
}

/// Notes the status that a server answered.
pub fn response(span: &Span, status: StatusCode) {
    let failed = status.is_client_error() || status.is_server_error();
    answered(span, status, failed.then_some(status));
}

/// Notes the status of an answer, and by which one it is a failure.
pub fn answered(span: &Span, status: StatusCode, failure: Option<StatusCode>) {
    // An unsigned number would become text.
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if let Some(failure) = failure {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", failure.as_str());
    }
}
