//! A service's answer on its way to the browser: what of it is passed on, and
//! how it ends when the service breaks off.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt;
use tonic::body::Body;

use crate::error::Refusal;

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_PREFIX: &str = "grpc-";

/// Marks the answer to a unary call: it fits into one body.
#[derive(Clone, Copy)]
pub(super) struct Unary;

/// What of the service's answer the browser sees: its body and gRPC's own
/// headers. Everything else stays inside, the content length among it: with
/// the trailer frame that tonic-web appends it would be wrong.
pub(super) fn forwarded<B>(
    answer: Response<B>,
    upstream: &'static str,
) -> Result<Response<Body>, Refusal>
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
{
    let (head, body) = answer.into_parts();
    let is_grpc = head
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(GRPC.as_bytes()));
    if head.status != StatusCode::OK || !is_grpc {
        tracing::warn!(upstream, status = %head.status, "the answer is not gRPC");
        return Err(Refusal::DependencyUnavailable(upstream));
    }
    let has_status = head.headers.contains_key(GRPC_STATUS);
    let mut response = Response::new(if has_status {
        // Trailers-only: the status stands in the headers, and nothing may follow.
        Body::empty()
    } else {
        Body::new(Answer {
            body,
            upstream,
            ended: false,
        })
    });
    *response.headers_mut() = head
        .headers
        .into_iter()
        .filter_map(|(name, value)| Some((name?, value)))
        .filter(|(name, _)| name.as_str().starts_with(GRPC_PREFIX))
        .collect();
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    Ok(response)
}

/// Gathers the answer to a unary call into one body of known length, which
/// costs a fifth less than a chunked one. Streams pass untouched.
pub(super) async fn gathered(response: Response<Body>) -> Response<Body> {
    if response.extensions().get::<Unary>().is_none() {
        return response;
    }
    let (head, body) = response.into_parts();
    match body.collect().await {
        Ok(whole) => Response::from_parts(
            head,
            Body::new(http_body_util::Full::from(whole.to_bytes())),
        ),
        Err(status) => status.into_http(),
    }
}

/// The body of an answer. It always ends with a gRPC status: the service's own,
/// or ours when it broke off.
struct Answer<B> {
    body: B,
    upstream: &'static str,
    ended: bool,
}

impl<B> HttpBody for Answer<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = tonic::Status;

    // `size_hint` keeps its default, "unknown": tonic-web passes it on, and a
    // length without the trailer frame would cut off the status.

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        let frame = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            // Reset, closed or at its end without a status: it broke off.
            Some(Err(_)) | None => {
                tracing::warn!(upstream = this.upstream, "the answer broke off");
                Frame::trailers(Refusal::DependencyUnavailable(this.upstream).to_trailers())
            }
        };
        this.ended = frame.is_trailers();
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
