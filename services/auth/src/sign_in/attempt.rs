//! One attempt: its `state`, the ticket that binds it to a browser, and what the
//! store keeps of it, sealed.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::hmac;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::ReturnTo;
use crate::sealing::{Binding, HolderSecret, KeyRing, Purpose, random};

const PREFIX: &str = "a1.";

/// Finds a kept attempt. Made of the ticket and the whole state, so that with a
/// forged state or another browser's ticket there is nothing to find or use up.
pub(crate) struct AttemptKey(String);

impl AttemptKey {
    /// The text for the store.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A new attempt's id, and its `state`: the id, a dot, and an unguessable rest.
pub(super) fn new_state() -> (String, String) {
    let id = Uuid::now_v7().simple().to_string();
    let state = format!("{id}.{}", random_text());
    (id, state)
}

/// 256 unguessable bits as text.
fn random_text() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(random::<32>())
}

/// What the browser that began an attempt keeps in a cookie.
pub(super) struct AttemptTicket(HolderSecret);

impl AttemptTicket {
    /// A new ticket.
    pub(super) fn issue() -> Self {
        Self(HolderSecret::generate())
    }

    /// Reads a ticket's text. `None` for every text that [`AttemptTicket::reveal`]
    /// did not write.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(text.strip_prefix(PREFIX)?)
            .ok()?;
        Some(Self(HolderSecret::from_bytes(bytes.try_into().ok()?)))
    }

    /// The text for the cookie.
    pub(super) fn reveal(&self) -> String {
        format!(
            "{PREFIX}{}",
            BASE64_URL_SAFE_NO_PAD.encode(self.0.as_bytes())
        )
    }

    /// Where the attempt with this ticket and `state` is kept.
    pub(super) fn key(&self, state: &str) -> AttemptKey {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        let tag = hmac::sign(
            &key,
            &[b"bionicpro.auth.attempt-key.v1:", state.as_bytes()].concat(),
        );
        AttemptKey(BASE64_URL_SAFE_NO_PAD.encode(tag))
    }

    /// The bytes of a completion's outcome for the store: only the browser that
    /// began the attempt can have them opened.
    pub(super) fn seal_outcome(
        &self,
        keys: &KeyRing,
        state: &str,
        outcome: &impl Serialize,
    ) -> Vec<u8> {
        let plain = serde_json::to_vec(outcome).expect("texts have a JSON form");
        keys.seal(&self.0, &binding(Purpose::Outcome, state), &plain)
    }

    /// Opens what [`AttemptTicket::seal_outcome`] made for the same state.
    pub(super) fn open_outcome<T: DeserializeOwned>(
        &self,
        keys: &KeyRing,
        state: &str,
        sealed: &[u8],
    ) -> Option<T> {
        let plain = keys.open(&self.0, &binding(Purpose::Outcome, state), sealed);
        serde_json::from_slice(&plain.ok()?).ok()
    }
}

/// An attempt between its beginning and its completion.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    /// Has to stand in the id token.
    pub(super) nonce: String,
    /// Proves that whoever redeems the code began the attempt (RFC 7636).
    pub(super) code_verifier: String,
    /// Where the person wanted to go.
    pub(super) return_to: ReturnTo,
}

impl Pending {
    /// A new attempt.
    pub(super) fn new(return_to: ReturnTo) -> Self {
        Self {
            nonce: random_text(),
            code_verifier: random_text(),
            return_to,
        }
    }

    /// The bytes for the store.
    pub(super) fn seal(&self, keys: &KeyRing, ticket: &AttemptTicket, state: &str) -> Vec<u8> {
        let plain = serde_json::to_vec(self).expect("texts have a JSON form");
        keys.seal(&ticket.0, &binding(Purpose::Attempt, state), &plain)
    }

    /// Opens what [`Pending::seal`] made for the same ticket and state.
    pub(super) fn open(
        keys: &KeyRing,
        ticket: &AttemptTicket,
        state: &str,
        sealed: &[u8],
    ) -> Option<Self> {
        let plain = keys
            .open(&ticket.0, &binding(Purpose::Attempt, state), sealed)
            .ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

fn binding(purpose: Purpose, state: &str) -> Binding {
    Binding::new(purpose, &[state.as_bytes()])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_state_begins_with_the_id_and_a_dot() {
        let (id, state) = new_state();
        assert!(state.strip_prefix(&id).unwrap().starts_with('.'));
    }

    #[test]
    fn a_ticket_reads_back_as_it_was_written() {
        let ticket = AttemptTicket::issue();
        assert_eq!(
            AttemptTicket::parse(&ticket.reveal()).unwrap().reveal(),
            ticket.reveal()
        );
    }

    #[test]
    fn ticket_and_state_both_decide_where_an_attempt_is_kept() {
        let (one, other) = (AttemptTicket::issue(), AttemptTicket::issue());
        assert_eq!(one.key("state").as_str(), one.key("state").as_str());
        assert_ne!(one.key("state").as_str(), one.key("stat").as_str());
        assert_ne!(one.key("state").as_str(), other.key("state").as_str());
    }

    proptest! {
        #[test]
        fn a_text_that_reads_is_the_one_that_is_written(text in "a1\\.[A-Za-z0-9_-]{40,46}") {
            if let Some(ticket) = AttemptTicket::parse(&text) {
                prop_assert_eq!(ticket.reveal(), text);
            }
        }

        #[test]
        fn a_cut_text_does_not_read(at: prop::sample::Index) {
            let text = AttemptTicket::issue().reveal();
            prop_assert!(AttemptTicket::parse(&text[..at.index(text.len())]).is_none());
        }
    }
}
