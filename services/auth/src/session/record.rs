//! What a session keeps for every check, and when its access token is due.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc, serde::ts_milliseconds};
use serde::{Deserialize, Serialize};

use crate::identity_provider::Grant;

/// A token with less than this left is not handed out: it would expire under way.
const SHORTEST: TimeDelta = TimeDelta::seconds(5);

/// A token is renewed when this much of its life is left, or a fifth of a short life.
const AHEAD: TimeDelta = TimeDelta::seconds(60);

/// Who is signed in, and the token for the services behind the gateway.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Access {
    /// The identity provider's identifier of the person.
    pub(crate) subject: String,
    /// The access token.
    pub(crate) token: String,
    /// When the access token is due for renewal.
    #[serde(with = "ts_milliseconds")]
    renew_at: DateTime<Utc>,
    /// When the access token expires.
    #[serde(with = "ts_milliseconds")]
    pub(crate) expires_at: DateTime<Utc>,
    /// When the session ends at the latest.
    #[serde(with = "ts_milliseconds")]
    pub(crate) session_expires_at: DateTime<Utc>,
}

impl Access {
    /// What the provider granted, in a session that ends at `session_expires_at`.
    pub(crate) fn granted(grant: &Grant, session_expires_at: DateTime<Utc>) -> Self {
        let life = TimeDelta::from_std(grant.expires_in).unwrap_or(AHEAD);
        let expires_at = grant.granted_at + life;
        Self {
            subject: grant.subject.clone(),
            token: grant.access_token.clone(),
            renew_at: expires_at - AHEAD.min(life / 5),
            expires_at,
            session_expires_at,
        }
    }

    /// Whether the token needs no renewal yet.
    pub(crate) fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        now < self.renew_at && self.is_usable(now)
    }

    /// Whether the token can still be handed out.
    pub(crate) fn is_usable(&self, now: DateTime<Utc>) -> bool {
        now + SHORTEST < self.expires_at
    }

    /// How long the session can still live; `None` when it is over.
    pub(crate) fn session_left(&self, now: DateTime<Utc>) -> Option<Duration> {
        (self.session_expires_at - now)
            .to_std()
            .ok()
            .filter(|left| !left.is_zero())
    }

    /// The bytes to seal.
    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and times have a JSON form")
    }

    /// Reads what [`Access::encode`] wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn access(life: Duration) -> Access {
        let grant = Grant {
            subject: "subject".to_owned(),
            provider_session: "sid".to_owned(),
            access_token: "token".to_owned(),
            granted_at: Utc::now(),
            expires_in: life,
            refresh_token: "refresh".to_owned(),
        };
        Access::granted(&grant, Utc::now() + TimeDelta::hours(1))
    }

    #[test]
    fn a_token_is_due_a_minute_before_it_expires() {
        let access = access(Duration::from_secs(300));
        assert!(access.is_fresh(access.expires_at - TimeDelta::seconds(61)));
        assert!(!access.is_fresh(access.expires_at - TimeDelta::seconds(59)));
        assert!(access.is_usable(access.expires_at - TimeDelta::seconds(59)));
    }

    #[test]
    fn a_short_lived_token_is_due_after_four_fifths_of_its_life() {
        let access = access(Duration::from_secs(100));
        assert!(access.is_fresh(access.expires_at - TimeDelta::seconds(21)));
        assert!(!access.is_fresh(access.expires_at - TimeDelta::seconds(19)));
    }

    #[test]
    fn a_token_about_to_expire_is_not_handed_out() {
        let access = access(Duration::from_secs(300));
        assert!(!access.is_usable(access.expires_at - TimeDelta::seconds(5)));
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let access = access(Duration::from_secs(300));
        let read = Access::decode(&access.encode()).unwrap();
        assert_eq!(read.encode(), access.encode());
    }
}
