//! A browser's request on its way to a service: what of it is passed on.

use std::pin::Pin;
use std::task::{Context, Poll};

use bionicpro_mesh::{deadline, telemetry};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body::{Body as HttpBody, Frame};
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;
use tracing::Span;

use crate::error::Refusal;

/// What the browser says of its messages' compression; the only headers of its
/// own that a service sees.
const PASSED: [HeaderName; 2] = [
    HeaderName::from_static("grpc-encoding"),
    HeaderName::from_static("grpc-accept-encoding"),
];

/// The request as the service gets it: the session's token in place of the
/// browser's cookie, and none of the browser's headers that could pretend to be
/// ours.
pub(super) fn forwarded(
    request: Request<Body>,
    access_token: &str,
    deadline: Option<Instant>,
    span: &Span,
) -> Result<Request<Body>, Refusal> {
    let (mut head, body) = request.into_parts();
    let mut authorization = HeaderValue::try_from(["Bearer ", access_token].concat())
        .map_err(|_| Refusal::DependencyUnavailable("auth"))?;
    authorization.set_sensitive(true);
    let mut headers = HeaderMap::with_capacity(8);
    for name in PASSED {
        if let Some(value) = head.headers.remove(&name) {
            headers.insert(name, value);
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(AUTHORIZATION, authorization);
    headers.extend(deadline.and_then(deadline::timeout_header));
    telemetry::inject(span, &mut headers);
    head.headers = headers;
    head.version = http::Version::HTTP_2;
    Ok(Request::from_parts(head, Body::new(OfUnknownLength(body))))
}

/// A body that does not tell its length. tonic-web passes on the length of the
/// browser's body, which is not that of the decoded text; HTTP/2 would announce
/// it and then reset the stream.
struct OfUnknownLength(Body);

impl HttpBody for OfUnknownLength {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}
