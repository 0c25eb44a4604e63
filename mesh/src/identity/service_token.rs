//! The token by which this program calls others: client credentials (RFC 6749, section 4.4),
//! fetched once for all who wait and renewed before it expires.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A token is renewed when this share of its life is left.
const RENEW_AT_REMAINING: u32 = 5;
/// A token that lives shorter than this is not sent any more.
const MARGIN: Duration = Duration::from_secs(5);
/// How long a failed renewal is not tried again while the old token lives.
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
    renewal: Mutex<()>,
}

struct Current {
    authorization: HeaderValue,
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
            renewal: Mutex::new(()),
        }))
    }

    /// The value of the header `authorization`.
    ///
    /// # Errors
    /// There is no living token and none can be had.
    pub async fn authorization(&self) -> Result<HeaderValue, TokenUnavailable> {
        if let Some(current) = self.current(|token| token.renew_at) {
            return Ok(current);
        }
        let _renewal = self.0.renewal.lock().await;
        if let Some(current) = self.current(|token| token.renew_at) {
            return Ok(current);
        }
        match self.fetch().await {
            Ok(fetched) => {
                let authorization = fetched.authorization.clone();
                self.0.current.store(Some(Arc::new(fetched)));
                Ok(authorization)
            }
            Err(error) => {
                tracing::warn!(%error, "the program's own token cannot be renewed");
                self.postpone()
            }
        }
    }

    fn current(&self, until: impl Fn(&Current) -> Instant) -> Option<HeaderValue> {
        let current = self.0.current.load();
        let living = current
            .as_ref()
            .filter(|token| Instant::now() < until(token))?;
        Some(living.authorization.clone())
    }

    /// Goes on with the old token while it lives.
    fn postpone(&self) -> Result<HeaderValue, TokenUnavailable> {
        let authorization = self
            .current(|token| token.unusable_at)
            .ok_or(TokenUnavailable)?;
        let unusable_at = self
            .0
            .current
            .load()
            .as_ref()
            .map(|token| token.unusable_at);
        let renew_at = Instant::now() + RETRY_PAUSE;
        self.0.current.store(unusable_at.map(|unusable_at| {
            let authorization = authorization.clone();
            Arc::new(Current {
                authorization,
                renew_at: renew_at.min(unusable_at),
                unusable_at,
            })
        }));
        Ok(authorization)
    }

    async fn fetch(&self) -> Result<Current, FetchError> {
        let before = Instant::now();
        let request = self.0.http.post(&self.0.endpoint).form(&[
            ("grant_type", "client_credentials"),
            ("client_id", self.0.client_id.as_str()),
            ("client_secret", self.0.secret.expose_secret()),
        ]);
        let answer: Answer = request.send().await?.error_for_status()?.json().await?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", answer.access_token))?;
        authorization.set_sensitive(true);
        let life = Duration::from_secs(answer.expires_in);
        Ok(Current {
            authorization,
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
