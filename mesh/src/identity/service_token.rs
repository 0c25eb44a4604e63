//! The token by which this program calls others: client credentials (RFC 6749, section 4.4),
//! fetched once for all who wait and renewed aside before it expires.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::time::Instant;

use super::single_flight::{Outcome, SingleFlight};

/// A token is renewed when this share of its life is left.
const RENEW_AT_REMAINING: u32 = 5;
/// A token that lives shorter than this is not sent any more.
const MARGIN: Duration = Duration::from_secs(5);
/// How long a failed renewal is not tried again while the old token lives, and how old a refused
/// token has to be for a new one to be worth a try.
const RETRY_PAUSE: Duration = Duration::from_secs(2);

/// The identity provider gives no token: it does not answer, or refuses the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identity provider gives this program no token")]
pub struct TokenUnavailable;

/// The program's own token. Cheap to clone.
#[derive(Clone)]
pub struct ServiceToken(Arc<Inner>);

struct Inner {
    endpoint: String,
    client_id: String,
    secret: SecretString,
    http: reqwest::Client,
    current: ArcSwapOption<Current>,
    renewal: SingleFlight<Result<HeaderValue, TokenUnavailable>>,
}

#[derive(Clone)]
struct Current {
    authorization: HeaderValue,
    fetched_at: Instant,
    renew_at: Instant,
    unusable_at: Instant,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: u64,
}

impl ServiceToken {
    /// A token for `client_id`, from the realm's token endpoint. Nothing is fetched yet.
    #[must_use]
    pub fn new(
        token_endpoint: impl Into<String>,
        client_id: impl Into<String>,
        secret: SecretString,
    ) -> Self {
        Self(Arc::new(Inner {
            endpoint: token_endpoint.into(),
            client_id: client_id.into(),
            secret,
            http: super::http_client::new(),
            current: ArcSwapOption::empty(),
            renewal: SingleFlight::default(),
        }))
    }

    /// The value of the header `authorization`. Waits for the identity provider only when there
    /// is no living token: one that is due is sent while the next one is fetched.
    ///
    /// # Errors
    /// There is no living token and none can be had.
    pub async fn authorization(&self) -> Result<HeaderValue, TokenUnavailable> {
        let now = Instant::now();
        if let Some(current) = self.0.current.load().as_deref()
            && now < current.unusable_at
        {
            if now >= current.renew_at {
                // Nobody waits for it.
                drop(self.renew());
            }
            return Ok(current.authorization.clone());
        }
        self.renew().await.unwrap_or(Err(TokenUnavailable))
    }

    /// Says that a service did not accept this value, as happens when the identity provider has
    /// withdrawn its keys: it is not sent again, although it lives.
    pub(crate) fn refused(&self, authorization: &HeaderValue) {
        let current = self.0.current.load();
        let Some(refused) = current.as_deref() else {
            return;
        };
        // A fresh one is not the fault: the next one would be refused, too.
        let fresh = refused.fetched_at.elapsed() < RETRY_PAUSE;
        let given_up = refused.unusable_at <= Instant::now();
        if fresh || given_up || refused.authorization != *authorization {
            return;
        }
        tracing::warn!("the program's own token was refused: the next call brings another one");
        let unusable = Current {
            unusable_at: refused.fetched_at,
            ..refused.clone()
        };
        let unusable = Some(Arc::new(unusable));
        self.0.current.compare_and_swap(&current, unusable);
    }

    fn renew(&self) -> Outcome<Result<HeaderValue, TokenUnavailable>> {
        self.0.renewal.join(|| self.0.clone().renewed())
    }
}

impl Inner {
    async fn renewed(self: Arc<Self>) -> Result<HeaderValue, TokenUnavailable> {
        // Another renewal may have ended just before this one began.
        if let Some(current) = self.current.load().as_deref()
            && Instant::now() < current.renew_at.min(current.unusable_at)
        {
            return Ok(current.authorization.clone());
        }
        match self.fetch().await {
            Ok(fetched) => {
                let authorization = fetched.authorization.clone();
                self.current.store(Some(Arc::new(fetched)));
                Ok(authorization)
            }
            Err(error) => {
                tracing::warn!(%error, "the program's own token cannot be renewed");
                self.postpone();
                Err(TokenUnavailable)
            }
        }
    }

    fn postpone(&self) {
        let renew_at = Instant::now() + RETRY_PAUSE;
        let postponed = self.current.load().as_deref().map(|current| Current {
            renew_at,
            ..current.clone()
        });
        self.current.store(postponed.map(Arc::new));
    }

    async fn fetch(&self) -> Result<Current, FetchError> {
        let before = Instant::now();
        let request = self.http.post(&self.endpoint).form(&[
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.as_str()),
            ("client_secret", self.secret.expose_secret()),
        ]);
        let answer: Answer = request.send().await?.error_for_status()?.json().await?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", answer.access_token))?;
        authorization.set_sensitive(true);
        let life = Duration::from_secs(answer.expires_in);
        Ok(Current {
            authorization,
            fetched_at: Instant::now(),
            renew_at: before + life - life / RENEW_AT_REMAINING,
            unusable_at: before + life.saturating_sub(MARGIN),
        })
    }
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("the token is not a header's value")]
    Token(#[from] http::header::InvalidHeaderValue),
}
