//! What keeps messages from being applied at the moment: tried again for as long as it takes, and
//! known to readiness meanwhile.

use std::{
    fmt::Display,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The trouble that there is.
#[derive(Debug, Default)]
pub struct Trouble(Mutex<Option<&'static str>>);

/// Messages are not being applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("messages cannot be written to {0}")]
pub struct Stuck(&'static str);

impl Trouble {
    /// Tries until it succeeds; meanwhile readiness knows of the trouble with `part`.
    pub async fn insist<T, E, F>(&self, part: &'static str, act: impl Fn() -> F) -> T
    where
        E: Display,
        F: Future<Output = Result<T, E>>,
    {
        let mut pause = FIRST_PAUSE;
        loop {
            match act().await {
                Ok(done) => {
                    self.over();
                    return done;
                }
                Err(error) => {
                    tracing::warn!(%error, part, "messages are not applied: trying again");
                    self.with(part);
                }
            }
            time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// There is trouble with `part`.
    fn with(&self, part: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(part);
    }

    /// It is over.
    fn over(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// # Errors
    /// There is trouble.
    pub fn check(&self) -> Result<(), Stuck> {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(part) => Err(Stuck(part)),
            None => Ok(()),
        }
    }
}
