//! What a stop of the process means for a stream that a caller holds open: some time to end by
//! itself, then an answer that says to send it again. Without it the server's drain would cut the
//! connection, and the caller would not know why.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// Knows when the process is told to stop.
#[derive(Clone, Debug)]
pub(crate) struct Stopping {
    stop: CancellationToken,
    /// How long a stream may still take.
    last_messages: Duration,
}

impl Stopping {
    /// For a server that cuts off what has not ended within `drain` of `stop`.
    pub(crate) fn new(stop: CancellationToken, drain: Duration) -> Self {
        Self {
            stop,
            last_messages: drain / 3,
        }
    }

    /// What `stream` comes to, if it ends in time.
    ///
    /// # Errors
    /// The stream's own, and that the process stops.
    pub(crate) async fn bound<T, E: From<Error>>(
        &self,
        stream: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let too_late = async {
            self.stop.cancelled().await;
            tokio::time::sleep(self.last_messages).await;
        };
        tokio::select! {
            biased;
            outcome = stream => outcome,
            () = too_late => Err(Error::Stopping.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::future;

    use bionicpro_mesh::status::{Code, Reason, reason};
    use tokio::time::{sleep, timeout};
    use tonic::Status;

    use super::*;

    const DRAIN: Duration = Duration::from_secs(10);

    fn stopping() -> Stopping {
        let stop = CancellationToken::new();
        stop.cancel();
        Stopping::new(stop, DRAIN)
    }

    async fn ends_after(time: Duration) -> Result<(), Status> {
        sleep(time).await;
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_is_held_open_is_told_to_come_again() {
        let stopping = stopping();
        let held_open = stopping.bound(future::pending::<Result<(), Status>>());
        let answer = timeout(DRAIN / 2, held_open).await;
        let status = answer.expect("it is answered").unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(reason(&status), Some(Reason::DependencyUnavailable));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_ends_soon_after_the_stop_has_its_answer() {
        assert!(stopping().bound(ends_after(DRAIN / 6)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_stop_a_stream_takes_its_time() {
        let stopping = Stopping::new(CancellationToken::new(), DRAIN);
        assert!(stopping.bound(ends_after(DRAIN * 3)).await.is_ok());
    }
}
