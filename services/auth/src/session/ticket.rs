//! The ticket: the text in the browser's session cookie. It names the session and
//! carries the secret without which nothing of the session opens.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::sealing::{Binding, HolderSecret, Purpose};

/// Names the version of the text, so that a later form can live beside this one.
const PREFIX: &str = "s1.";
const ID: usize = 16;
const LENGTH: usize = 2 * ID + HolderSecret::LENGTH;

/// Names a session. Not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionId(Uuid);

impl SessionId {
    /// A new id.
    pub(crate) fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// Where something of this session belongs.
    pub(crate) fn binding(self, purpose: Purpose) -> Binding {
        Binding::new(purpose, &[self.0.as_bytes()])
    }
}

impl std::fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Names one of a session's tickets. Not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TicketId(Uuid);

impl std::fmt::Display for TicketId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What a browser presents to be recognised.
pub(crate) struct Ticket {
    /// The session.
    pub(crate) session: SessionId,
    /// The ticket among the session's tickets.
    pub(crate) id: TicketId,
    /// The browser's half of the key.
    pub(crate) secret: HolderSecret,
}

impl Ticket {
    /// A new ticket for `session`.
    pub(crate) fn issue(session: SessionId) -> Self {
        Self {
            session,
            id: TicketId(Uuid::now_v7()),
            secret: HolderSecret::generate(),
        }
    }

    /// Reads a ticket's text. `None` for every text that [`Ticket::reveal`] did not
    /// write: there is one text for a ticket and one ticket for a text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX)?;
        let mut bytes = Zeroizing::new([0; LENGTH]);
        // The decoder wants room for a rounded-up length, and refuses unused bits that are set.
        let mut room = Zeroizing::new([0; LENGTH + 2]);
        if BASE64_URL_SAFE_NO_PAD
            .decode_slice(encoded, &mut *room)
            .ok()?
            != LENGTH
        {
            return None;
        }
        bytes.copy_from_slice(&room[..LENGTH]);
        let (ids, secret) = bytes.split_at(2 * ID);
        let (session, id) = ids.split_at(ID);
        Some(Self {
            session: SessionId(Uuid::from_slice(session).ok()?),
            id: TicketId(Uuid::from_slice(id).ok()?),
            secret: HolderSecret::from_bytes(secret.try_into().ok()?),
        })
    }

    /// The text for the cookie. Whoever has it has the session.
    pub(crate) fn reveal(&self) -> String {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        bytes[..ID].copy_from_slice(self.session.0.as_bytes());
        bytes[ID..2 * ID].copy_from_slice(self.id.0.as_bytes());
        bytes[2 * ID..].copy_from_slice(self.secret.as_bytes());
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(*bytes))
    }

    /// Where this ticket's wrapped data key belongs.
    pub(crate) fn binding(&self) -> Binding {
        Binding::new(
            Purpose::DataKey,
            &[self.session.0.as_bytes(), self.id.0.as_bytes()],
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ticket_reads_back_as_it_was_written() {
        let ticket = Ticket::issue(SessionId::new());
        let read = Ticket::parse(&ticket.reveal()).unwrap();
        assert_eq!(read.session, ticket.session);
        assert_eq!(read.id, ticket.id);
        assert_eq!(read.secret.as_bytes(), ticket.secret.as_bytes());
    }

    #[test]
    fn two_tickets_of_a_session_differ() {
        let session = SessionId::new();
        assert_ne!(
            Ticket::issue(session).reveal(),
            Ticket::issue(session).reveal()
        );
    }

    proptest! {
        #[test]
        fn a_text_that_reads_is_the_one_that_is_written(text in "s1\\.[A-Za-z0-9_-]{84,88}") {
            if let Some(ticket) = Ticket::parse(&text) {
                prop_assert_eq!(ticket.reveal(), text);
            }
        }

        #[test]
        fn a_cut_text_does_not_read(at: prop::sample::Index) {
            let text = Ticket::issue(SessionId::new()).reveal();
            prop_assert!(Ticket::parse(&text[..at.index(text.len())]).is_none());
        }

        #[test]
        fn a_longer_text_does_not_read(more in "[A-Za-z0-9_.=-]{1,8}") {
            let text = Ticket::issue(SessionId::new()).reveal();
            prop_assert!(Ticket::parse(&(text + &more)).is_none());
        }

        #[test]
        fn no_text_makes_it_fail_otherwise(text in ".{0,200}") {
            prop_assert!(Ticket::parse(&text).is_none());
        }
    }
}
