//! What a stop of the process means for a stream that a caller holds open: some time to end by
//! itself, then an answer that says to send it again. Without it the server's drain would cut the
//! connection, and the caller would not know why.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::Error;

/// How long a stream may still take; shorter than the server's drain.
const LAST_MESSAGES: Duration = Duration::from_secs(3);

/// Knows when the process is told to stop.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(pub(crate) CancellationToken);

impl Stopping {
    /// What `stream` comes to, if it ends in time.
    ///
    /// # Errors
    /// The stream's own, and that the process stops.
    pub(crate) async fn bound<T, E: From<Error>>(
        &self,
        stream: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let too_late = async {
            self.0.cancelled().await;
            tokio::time::sleep(LAST_MESSAGES).await;
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

    async fn ends_after(time: Duration) -> Result<(), Status> {
        sleep(time).await;
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_is_held_open_is_told_to_come_again() {
        let stop = CancellationToken::new();
        stop.cancel();
        let stopping = Stopping(stop);
        let held_open = stopping.bound(future::pending::<Result<(), Status>>());
        let answer = timeout(LAST_MESSAGES * 2, held_open).await;
        let status = answer.expect("it is answered").unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(reason(&status), Some(Reason::DependencyUnavailable));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_ends_soon_after_the_stop_has_its_answer() {
        let stop = CancellationToken::new();
        stop.cancel();
        let ending = ends_after(LAST_MESSAGES / 2);
        assert!(Stopping(stop).bound(ending).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_stop_a_stream_takes_its_time() {
        let stopping = Stopping(CancellationToken::new());
        assert!(stopping.bound(ends_after(LAST_MESSAGES * 9)).await.is_ok());
    }
}
