//! Completing a sign-in. The identity provider takes a code once, so an attempt is
//! claimed first and completed to its end even if the browser goes away; for a
//! moment its outcome is there for a browser that asks again, as by a reload.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::{
    ATTEMPT_LIFE, AttemptKey, AttemptStore, AttemptTicket, Claim, Pending, ReturnTo, SignIns,
};
use crate::{
    error::{Dependency, Error},
    identity_provider::{Expected, IdentityProvider, ProviderError, Unverified, verify_patiently},
    session::{SessionStore, Ticket},
};

/// How long an outcome is there for a browser that asks again.
const OUTCOME_LIFE: Duration = Duration::from_secs(60);

/// How long a browser that asks again waits for the outcome, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(8);
const POLL: Duration = Duration::from_millis(50);

/// What came back with the browser.
pub(crate) struct Answer {
    /// The `state` parameter.
    pub(crate) state: String,
    /// The attempt's ticket out of the cookie.
    pub(crate) attempt_ticket: String,
    /// The `iss` parameter (RFC 9207).
    pub(crate) issuer: String,
    /// The code, or the error code of a refusal.
    pub(crate) outcome: Result<String, String>,
    /// The session that the browser had before.
    pub(crate) previous: Option<Ticket>,
}

/// A sign-in that was completed.
pub(crate) struct Completed {
    /// The new session's ticket.
    pub(crate) ticket: Ticket,
    /// Where the person wanted to go.
    pub(crate) return_to: ReturnTo,
}

/// How a completion ended, as it is kept.
#[derive(Serialize, Deserialize)]
struct Outcome {
    /// The hash of the one answer that it belongs to.
    answer: String,
    ended: Ended,
}

#[derive(Serialize, Deserialize)]
enum Ended {
    Completed { ticket: String, return_to: ReturnTo },
    Refused(String),
    AnswerInvalid,
    Lost,
}

impl<A: AttemptStore, S: SessionStore, P: IdentityProvider> SignIns<A, S, P> {
    /// Completes an attempt and opens a session. The same answer again gets the same
    /// session for a moment.
    ///
    /// # Errors
    /// [`Error::AnswerInvalid`] for a foreign issuer, which uses nothing up;
    /// [`Error::AttemptInvalid`] when state and ticket name no attempt together;
    /// [`Error::Refused`] and [`Error::AnswerInvalid`] as the provider decides;
    /// [`Error::Unavailable`] when it is away: nothing is used up if it was not reached.
    pub(crate) async fn complete(self: &Arc<Self>, answer: Answer) -> Result<Completed, Error> {
        if answer.issuer != self.provider.issuer() {
            return Err(Error::AnswerInvalid("iss"));
        }
        let ticket = AttemptTicket::parse(&answer.attempt_ticket).ok_or(Error::AttemptInvalid)?;
        let sign_ins = Arc::clone(self);
        let completed = async move { sign_ins.complete_or_repeat(&ticket, answer).await };
        self.sessions.to_the_end(completed).await
    }

    async fn complete_or_repeat(
        &self,
        ticket: &AttemptTicket,
        answer: Answer,
    ) -> Result<Completed, Error> {
        let key = ticket.key(&answer.state);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.attempts.claim(&key).await? {
                Claim::Granted(sealed) => {
                    return self.complete_claimed(ticket, &key, sealed, answer).await;
                }
                Claim::Finished(sealed) => return self.repeat(ticket, &sealed, &answer).await,
                Claim::Taken if Instant::now() < deadline => sleep(POLL).await,
                Claim::Taken => return Err(Error::Unavailable(Dependency::Keycloak)),
                Claim::Unknown => return Err(Error::AttemptInvalid),
            }
        }
    }

    async fn complete_claimed(
        &self,
        ticket: &AttemptTicket,
        key: &AttemptKey,
        sealed: Vec<u8>,
        answer: Answer,
    ) -> Result<Completed, Error> {
        let (state, answered) = (answer.state.clone(), hash(&answer.outcome));
        let completed = match Pending::open(&self.keys, ticket, &state, &sealed) {
            Some(attempt) => match self.redeem(&attempt, &answer.outcome).await {
                Err(ProviderError::Unreached) => {
                    self.attempts.keep(key, &sealed, ATTEMPT_LIFE).await?;
                    return Err(ProviderError::Unreached.into());
                }
                redeemed => self.open_session(attempt, redeemed, answer.previous).await,
            },
            None => Err(Error::AttemptInvalid),
        };
        let outcome = Outcome {
            answer: answered,
            ended: Ended::of(&completed),
        };
        let outcome = ticket.seal_outcome(&self.keys, &state, &outcome);
        let finished = self.attempts.finish(key, &outcome, OUTCOME_LIFE).await;
        if finished.is_err() {
            tracing::warn!("the outcome of a sign-in could not be kept for who asks again");
        }
        completed
    }

    async fn redeem(
        &self,
        attempt: &Pending,
        outcome: &Result<String, String>,
    ) -> Result<Unverified<P::Answer>, ProviderError> {
        match outcome {
            Ok(code) => self.provider.redeem(code, &attempt.code_verifier).await,
            Err(error) => Err(ProviderError::Refused(error_code(error))),
        }
    }

    async fn open_session(
        &self,
        attempt: Pending,
        redeemed: Result<Unverified<P::Answer>, ProviderError>,
        previous: Option<Ticket>,
    ) -> Result<Completed, Error> {
        let expected = Expected::Nonce(&attempt.nonce);
        let grant = verify_patiently(&self.provider, &redeemed?, expected).await?;
        Ok(Completed {
            ticket: self.sessions.start(&grant, previous).await?,
            return_to: attempt.return_to,
        })
    }

    async fn repeat(
        &self,
        ticket: &AttemptTicket,
        sealed: &[u8],
        answer: &Answer,
    ) -> Result<Completed, Error> {
        let outcome: Outcome = ticket
            .open_outcome(&self.keys, &answer.state, sealed)
            .filter(|outcome: &Outcome| outcome.answer == hash(&answer.outcome))
            .ok_or(Error::AttemptInvalid)?;
        match outcome.ended {
            Ended::Completed { ticket, return_to } => {
                let ticket = Ticket::parse(&ticket).ok_or(Error::AttemptInvalid)?;
                // Whoever has signed out since does not come back in by a reload.
                match self.sessions.is_alive(&ticket).await? {
                    true => Ok(Completed { ticket, return_to }),
                    false => Err(Error::AttemptInvalid),
                }
            }
            Ended::Refused(code) => Err(Error::Refused(code)),
            Ended::AnswerInvalid => Err(Error::AnswerInvalid("repeated")),
            Ended::Lost => Err(Error::AttemptInvalid),
        }
    }
}

impl Ended {
    fn of(completed: &Result<Completed, Error>) -> Self {
        match completed {
            Ok(completed) => Self::Completed {
                ticket: completed.ticket.reveal(),
                return_to: completed.return_to.clone(),
            },
            Err(Error::Refused(code)) => Self::Refused(code.clone()),
            Err(Error::AnswerInvalid(_)) => Self::AnswerInvalid,
            Err(_) => Self::Lost,
        }
    }
}

fn hash(outcome: &Result<String, String>) -> String {
    let (kind, text) = match outcome {
        Ok(code) => ("code:", code),
        Err(error) => ("error:", error),
    };
    let hash = digest(&SHA256, [kind, text].concat().as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(hash)
}

/// An OAuth error code (RFC 6749, section 4.1.2.1) as it may be shown. What came
/// with the browser is anybody's text: only the form of a code passes.
fn error_code(error: &str) -> String {
    let is_code = error.len() <= 64 && error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_code {
        error.to_owned()
    } else {
        "unknown".to_owned()
    }
}
