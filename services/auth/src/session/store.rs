//! What sessions need of the store. Everything secret reaches it sealed.

use std::{future::Future, time::Duration};

use super::{SessionId, TicketId};
use crate::error::Error;

/// A session to be kept.
pub(crate) struct NewSession {
    /// Its id.
    pub(crate) id: SessionId,
    /// Its first ticket.
    pub(crate) ticket: TicketId,
    /// The data key, wrapped for that ticket.
    pub(crate) wrapped_key: Vec<u8>,
    /// The sealed [`Access`](super::Access).
    pub(crate) access: Vec<u8>,
    /// The sealed refresh token.
    pub(crate) refresh: Vec<u8>,
    /// The identity provider's session, readable: whoever ends sessions without a
    /// ticket finds them by it.
    pub(crate) provider_session: String,
    /// The keyed hash of the subject, for the same.
    pub(crate) subject_index: String,
    /// How long it lives untouched.
    pub(crate) lives: Duration,
}

/// What a check needs.
pub(crate) struct Stored {
    /// The data key, wrapped for the ticket.
    pub(crate) wrapped_key: Vec<u8>,
    /// The sealed [`Access`](super::Access).
    pub(crate) access: Vec<u8>,
    /// How long the session lives untouched.
    pub(crate) idle_left: Duration,
}

/// What a renewal needs.
pub(crate) struct Renewable {
    /// The sealed [`Access`](super::Access).
    pub(crate) access: Vec<u8>,
    /// The sealed refresh token.
    pub(crate) refresh: Vec<u8>,
    /// The identity provider's session.
    pub(crate) provider_session: String,
    /// How often the tokens were replaced.
    pub(crate) generation: u64,
}

/// What came of replacing a session's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replacement {
    /// They are replaced.
    Made,
    /// Somebody else has replaced them meanwhile.
    Outdated,
    /// The session has ended.
    NoSession,
}

/// What came of asking for a session's lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseState {
    /// The asker has it.
    Granted,
    /// Somebody else has it and is at work.
    Held,
    /// The provider was away a moment ago: nobody should ask it now.
    CoolingDown,
}

/// Where sessions are kept. Every method fails with [`Error::Unavailable`] when the
/// store does not answer, and then nothing is known about what it did.
pub(crate) trait SessionStore: Send + Sync + 'static {
    /// Keeps a new session.
    fn create(&self, session: NewSession) -> impl Future<Output = Result<(), Error>> + Send;

    /// Loads what a check needs; `None` when there is no such session or ticket.
    fn load(
        &self,
        id: SessionId,
        ticket: TicketId,
    ) -> impl Future<Output = Result<Option<Stored>, Error>> + Send;

    /// Lets a session live for `lives` from now. Does not bring back a dead one.
    fn touch(
        &self,
        id: SessionId,
        lives: Duration,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Loads what a renewal needs; `None` when there is no such session.
    fn load_renewable(
        &self,
        id: SessionId,
    ) -> impl Future<Output = Result<Option<Renewable>, Error>> + Send;

    /// Replaces the tokens if they are still those of `generation`.
    fn replace_tokens(
        &self,
        id: SessionId,
        generation: u64,
        access: &[u8],
        refresh: &[u8],
    ) -> impl Future<Output = Result<Replacement, Error>> + Send;

    /// Removes a session with everything of it.
    fn delete(&self, id: SessionId) -> impl Future<Output = Result<(), Error>> + Send;

    /// Asks for the lease on a session's refresh token for `owner`.
    fn acquire_lease(
        &self,
        id: SessionId,
        owner: &str,
        period: Duration,
    ) -> impl Future<Output = Result<LeaseState, Error>> + Send;

    /// Keeps a lease for another `period`, if `owner` still has it.
    fn extend_lease(
        &self,
        id: SessionId,
        owner: &str,
        period: Duration,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Gives a lease back, if `owner` still has it.
    fn release_lease(
        &self,
        id: SessionId,
        owner: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Turns a lease into a pause of `period`, if `owner` still has it.
    fn cool_down(
        &self,
        id: SessionId,
        owner: &str,
        period: Duration,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}
