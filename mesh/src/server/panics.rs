//! The layer that turns a panic of a handler, or of the stream that it answered with, into
//! `INTERNAL`. The panic itself is in the log.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use bytes::Bytes;
use futures::FutureExt as _;
use http::Response;
use http_body::Frame;
use tonic::Status;

use crate::status::Failure;

/// Catches panics.
pub(crate) async fn to_internal(request: Request, next: Next) -> Response<Body> {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response.map(|body| Body::new(CaughtBody(Some(body)))),
        Err(_) => Failure::internal().into_response(),
    }
}

/// A body that ends with `INTERNAL` when it panics.
struct CaughtBody(Option<Body>);

impl http_body::Body for CaughtBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = self.0.as_mut() else {
            return Poll::Ready(None);
        };
        let poll = AssertUnwindSafe(|| Pin::new(body).poll_frame(context));
        std::panic::catch_unwind(poll).unwrap_or_else(|_| {
            self.0 = None;
            let trailers = Status::from(Failure::internal())
                .into_http::<()>()
                .into_parts()
                .0;
            Poll::Ready(Some(Ok(Frame::trailers(trailers.headers))))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(http_body::Body::is_end_stream)
    }
}
