//! What keeps changes from being applied at the moment, for readiness.

use std::sync::{Mutex, PoisonError};

/// The trouble that there is.
#[derive(Debug, Default)]
pub(crate) struct Trouble(Mutex<Option<&'static str>>);

/// Changes are not being applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("changes cannot be written to {0}")]
pub(crate) struct Stuck(&'static str);

impl Trouble {
    /// There is trouble with `part`.
    pub(crate) fn with(&self, part: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(part);
    }

    /// It is over.
    pub(crate) fn over(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// # Errors
    /// There is trouble.
    pub(crate) fn check(&self) -> Result<(), Stuck> {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(part) => Err(Stuck(part)),
            None => Ok(()),
        }
    }
}
