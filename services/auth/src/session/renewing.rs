//! Which sessions this process renews aside, so that of the many checks of a busy
//! session one asks for the lease. Other processes are kept off by the lease.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use super::SessionId;

/// The sessions that are being renewed.
#[derive(Clone, Default)]
pub(super) struct Renewing(Arc<Mutex<HashSet<SessionId>>>);

/// One of them, until this is dropped.
pub(super) struct Place {
    renewing: Renewing,
    session: SessionId,
}

impl Renewing {
    /// A place for `session`, unless it has one.
    pub(super) fn enter(&self, session: SessionId) -> Option<Place> {
        self.change(|sessions| sessions.insert(session))
            .then(|| Place {
                renewing: self.clone(),
                session,
            })
    }

    fn change(&self, change: impl FnOnce(&mut HashSet<SessionId>) -> bool) -> bool {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.renewing
            .change(|sessions| sessions.remove(&self.session));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_one_place_at_a_time() {
        let (renewing, session) = (Renewing::default(), SessionId::new());
        let place = renewing.enter(session);
        assert!(place.is_some() && renewing.enter(session).is_none());
        assert!(renewing.enter(SessionId::new()).is_some());
        drop(place);
        assert!(renewing.enter(session).is_some());
    }
}
