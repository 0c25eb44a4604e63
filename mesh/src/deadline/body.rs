//! A body that ends at its deadline with `DEADLINE_EXCEEDED` in the trailers.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;

use super::budget::DEADLINE;
use super::exceeded;

/// A stream of frames that is dropped at its deadline.
#[derive(Debug)]
pub struct DeadlineBody<B> {
    /// Gone once the deadline has passed.
    inner: Option<Pin<Box<B>>>,
    sleep: Pin<Box<Sleep>>,
}

impl<B> DeadlineBody<B> {
    /// Passes on `inner` until `deadline`.
    pub fn new(inner: B, deadline: Instant) -> Self {
        Self {
            inner: Some(Box::pin(inner)),
            sleep: Box::pin(sleep_until(deadline)),
        }
    }
}

impl<B: Body<Data = Bytes>> Body for DeadlineBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let deadline = self.sleep.deadline();
        let Some(inner) = self.inner.as_mut() else {
            return Poll::Ready(None);
        };
        let frame = DEADLINE.sync_scope(deadline, || inner.as_mut().poll_frame(context));
        if frame.is_ready() || self.sleep.as_mut().poll(context).is_pending() {
            return frame;
        }
        self.inner = None;
        let trailers = Status::from(exceeded())
            .into_http::<()>()
            .into_parts()
            .0
            .headers;
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner
            .as_ref()
            .is_none_or(|inner| inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), |inner| inner.size_hint())
    }
}
