//! Tokens that were verified a moment ago. Verifying RS256 takes most of the time of a small call,
//! and programs bring the same token for minutes.
//!
//! What is remembered is only that a token was accepted, and as whom; a refusal is never. It holds
//!
//! - for exactly that token: the entry is found by the SHA-256 of all of it, so that neither
//!   another signature over the same claims nor a way to the token by timing finds one, and memory
//!   holds no token that could be sent;
//! - until its `exp`, without the leeway: after that it is looked at anew;
//! - for one issuer and audience: each verifier has its own;
//! - for the key that it was verified with: an entry names it, and whoever looks one up has to see
//!   whether that very key is still published, so that the tokens of a key go with it;
//! - for a bounded number of tokens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use ring::digest::{SHA256, digest};

use super::Caller;
use super::keys::Key;

/// Tokens remembered at the most: about 2 MB.
const BOUND: usize = 4096;

/// Finds a token without being it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenHash([u8; 32]);

impl TokenHash {
    pub(super) fn of(token: &str) -> Self {
        let hash = digest(&SHA256, token.as_bytes());
        Self(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

/// The tokens that an identity provider's keys have verified.
#[derive(Default)]
pub(super) struct Verified(Mutex<HashMap<TokenHash, Entry>>);

struct Entry {
    key: Arc<Key>,
    caller: Caller,
    until: SystemTime,
}

impl Verified {
    /// By which key a token was accepted and as whose, if it was and has not expired.
    pub(super) fn get(&self, token: &TokenHash, now: SystemTime) -> Option<(Arc<Key>, Caller)> {
        let entries = self.entries();
        let entry = entries.get(token).filter(|entry| now < entry.until)?;
        Some((Arc::clone(&entry.key), entry.caller.clone()))
    }

    /// Remembers a token that was accepted by `key` as `caller`'s, until it expires.
    pub(super) fn insert(
        &self,
        token: TokenHash,
        key: Arc<Key>,
        caller: Caller,
        until: SystemTime,
        now: SystemTime,
    ) {
        let mut entries = self.entries();
        if entries.len() == BOUND {
            entries.retain(|_, entry| now < entry.until);
            // Room for many, or the search for it would cost more than it saves.
            if entries.len() > BOUND / 2 {
                entries.clear();
            }
        }
        entries.insert(token, Entry { key, caller, until });
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<TokenHash, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn remember(verified: &Verified, token: &str, until: SystemTime, now: SystemTime) {
        let (token, key) = (TokenHash::of(token), Key::some());
        verified.insert(token, key, Caller::Public, until, now);
    }

    fn is_known(verified: &Verified, token: &str, now: SystemTime) -> bool {
        verified.get(&TokenHash::of(token), now).is_some()
    }

    #[test]
    fn a_token_is_known_until_it_expires_and_no_other_is() {
        let (verified, now) = (Verified::default(), SystemTime::now());
        remember(&verified, "token", now + MINUTE, now);
        assert!(is_known(&verified, "token", now));
        assert!(!is_known(&verified, "token", now + MINUTE));
        assert!(!is_known(&verified, "token ", now));
    }

    #[test]
    fn no_more_tokens_are_remembered_than_allowed_and_the_newest_is() {
        let (verified, now) = (Verified::default(), SystemTime::now());
        for number in 0..2 * BOUND + 1 {
            let token = number.to_string();
            remember(&verified, &token, now + MINUTE, now);
            assert!(is_known(&verified, &token, now));
            assert!(verified.entries().len() <= BOUND);
        }
    }

    #[test]
    fn expired_tokens_make_room_for_living_ones() {
        let (verified, now) = (Verified::default(), SystemTime::now());
        remember(&verified, "living", now + 2 * MINUTE, now);
        for number in 0..BOUND {
            remember(&verified, &number.to_string(), now + MINUTE, now + MINUTE);
        }
        assert!(is_known(&verified, "living", now + MINUTE));
        assert!(verified.entries().len() < BOUND);
    }
}
