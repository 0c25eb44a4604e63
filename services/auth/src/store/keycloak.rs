//! Keycloak: pushed authorization requests, tokens and sign-out. Which token is
//! trusted is decided in `answer`.

mod answer;
mod http;
mod realm;
#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ::http::{HeaderValue, header};
use arc_swap::ArcSwapOption;
use base64::{Engine, prelude::BASE64_STANDARD};
use openidconnect::{
    AuthenticationFlow, AuthorizationCode, CsrfToken, HttpResponse, LanguageTag, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RefreshToken, core::CoreResponseType,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};

use self::{
    answer::{Answer, Distrust, refusal},
    http::Http,
    realm::Realm,
};
use crate::identity_provider::{
    Authorization, Expected, Grant, IdentityProvider, ProviderError, Unverified,
};

/// How soon the provider is asked again what it is.
const PAUSE: Duration = Duration::from_millis(500);

/// Which provider, and who we are to it.
pub(crate) struct Settings {
    /// The realm's public address: the exact `iss`.
    pub(crate) issuer: String,
    /// The same realm's address for services.
    pub(crate) internal_url: String,
    /// Our client.
    pub(crate) client_id: String,
    /// Its secret.
    pub(crate) client_secret: SecretString,
    /// Where the browser returns to.
    pub(crate) redirect_uri: Url,
}

impl Settings {
    fn internal(&self) -> &str {
        self.internal_url.trim_end_matches('/')
    }

    /// An endpoint of the realm at the address for services, whichever of the two
    /// addresses discovery named it by.
    fn back_channel(&self, endpoint: Url) -> Result<Url, url::ParseError> {
        match endpoint.as_str().strip_prefix(self.issuer.as_str()) {
            Some(path) => Url::parse(&format!("{}{path}", self.internal())),
            None => Ok(endpoint),
        }
    }

    /// HTTP Basic with both halves form-encoded (RFC 6749, section 2.3.1).
    fn authorization(&self) -> HeaderValue {
        let encoded =
            |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let (id, secret) = (
            encoded(&self.client_id),
            encoded(self.client_secret.expose_secret()),
        );
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")));
        let mut value = HeaderValue::try_from(basic).expect("base64 is visible ASCII");
        value.set_sensitive(true);
        value
    }
}

/// The identity provider. It is asked what it is when it is first needed, so that
/// the service starts without it.
#[derive(Clone)]
pub(crate) struct Keycloak(Arc<Inner>);

struct Inner {
    settings: Settings,
    http: Http,
    /// As it was discovered last; read without waiting for a discovery under way.
    realm: ArcSwapOption<Realm>,
    /// Held by the one discovery under way: when the last one that failed ended.
    failed: Mutex<Option<Instant>>,
}

impl Keycloak {
    /// The provider of `settings`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub(crate) fn new(settings: Settings) -> Result<Self, reqwest::Error> {
        Ok(Self(Arc::new(Inner {
            settings,
            http: Http::new()?,
            realm: ArcSwapOption::empty(),
            failed: Mutex::default(),
        })))
    }

    async fn realm(&self) -> Result<Arc<Realm>, ProviderError> {
        match self.0.realm.load_full() {
            Some(realm) => Ok(realm),
            None => self.discover(|_| true).await,
        }
    }

    /// The realm as it was after `moment`: the provider rotates its keys. Only its
    /// own answers lead here, nobody can make it be asked by inventing keys.
    async fn realm_after(&self, moment: Instant) -> Result<Arc<Realm>, ProviderError> {
        self.discover(|realm| realm.asked > moment).await
    }

    /// Discovers the realm, unless somebody has just found one that will do. Whoever
    /// waited for a discovery that failed shares its failure.
    async fn discover(
        &self,
        will_do: impl Fn(&Realm) -> bool,
    ) -> Result<Arc<Realm>, ProviderError> {
        let mut failed = self.0.failed.lock().await;
        if let Some(realm) = self.0.realm.load_full().filter(|realm| will_do(realm)) {
            return Ok(realm);
        }
        if failed.is_some_and(|failed| failed.elapsed() < PAUSE) {
            return Err(ProviderError::Unavailable);
        }
        match Realm::discover(&self.0.settings, &self.0.http).await {
            Ok(realm) => {
                let realm = Arc::new(realm);
                self.0.realm.store(Some(Arc::clone(&realm)));
                Ok(realm)
            }
            Err(error) => {
                tracing::warn!(%error, "the identity provider could not be discovered");
                *failed = Some(Instant::now());
                Err(ProviderError::Unavailable)
            }
        }
    }

    /// Posts a form as our client.
    async fn post(&self, endpoint: &Url, form: String) -> Result<HttpResponse, ProviderError> {
        let request = ::http::Request::post(endpoint.as_str())
            .header(header::AUTHORIZATION, self.0.settings.authorization())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(form.into_bytes())
            .expect("the address is a URL and the headers are constants");
        self.0.http.send(request).await.map_err(|error| {
            tracing::warn!(%error, "the identity provider did not answer");
            ProviderError::Unavailable
        })
    }
}

impl IdentityProvider for Keycloak {
    type Answer = Answer;

    fn issuer(&self) -> &str {
        &self.0.settings.issuer
    }

    async fn authorize(&self, authorization: &Authorization<'_>) -> Result<String, ProviderError> {
        #[derive(Deserialize)]
        struct Pushed {
            request_uri: String,
        }

        let realm = self.realm().await?;
        let verifier = PkceCodeVerifier::new(authorization.code_verifier.to_owned());
        let state = CsrfToken::new(authorization.state.to_owned());
        let nonce = Nonce::new(authorization.nonce.to_owned());
        let (request, _, _) = realm
            .oidc
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                || state,
                || nonce,
            )
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_ui_locale(LanguageTag::new(authorization.locale.to_owned()))
            .url();
        let form = request.query().unwrap_or_default().to_owned();
        let answer = self
            .post(&realm.pushed_authorization_request_endpoint, form)
            .await?;
        let pushed = answer
            .status()
            .is_success()
            .then(|| serde_json::from_slice(answer.body()));
        let Some(Ok(Pushed { request_uri })) = pushed else {
            tracing::error!(status = %answer.status(), "a pushed authorization request was refused");
            return Err(ProviderError::Unavailable);
        };
        let mut page = realm.authorization_endpoint.clone();
        page.query_pairs_mut()
            .append_pair("client_id", &self.0.settings.client_id)
            .append_pair("request_uri", &request_uri);
        Ok(page.into())
    }

    async fn redeem(
        &self,
        code: &str,
        code_verifier: &str,
    ) -> Result<Unverified<Answer>, ProviderError> {
        let realm = self.realm().await.map_err(|_| ProviderError::Unreached)?;
        let answer = realm
            .oidc
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(code_verifier.to_owned()))
            .request_async(&self.0.http)
            .await
            .map_err(refusal)?;
        Ok(Answer::came(answer))
    }

    async fn renew(&self, refresh_token: &str) -> Result<Unverified<Answer>, ProviderError> {
        let realm = self.realm().await.map_err(|_| ProviderError::Unreached)?;
        let answer = realm
            .oidc
            .exchange_refresh_token(&RefreshToken::new(refresh_token.to_owned()))
            .request_async(&self.0.http)
            .await
            .map_err(refusal)?;
        Ok(Answer::came(answer))
    }

    async fn verify(
        &self,
        unverified: &Unverified<Answer>,
        expected: Expected<'_>,
    ) -> Result<Grant, ProviderError> {
        let answer = &unverified.answer;
        let realm = self.realm().await?;
        match answer.verify(&realm, expected) {
            Err(Distrust::UnknownKey) => {
                let realm = self.realm_after(answer.received()).await?;
                answer.verify(&realm, expected)
            }
            verified => verified,
        }
        .map_err(|distrust| ProviderError::AnswerInvalid(distrust.check()))
    }

    async fn end(&self, refresh_token: &str) -> Result<(), ProviderError> {
        let realm = self.realm().await?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.0.settings.client_id)
            .append_pair("refresh_token", refresh_token)
            .finish();
        let answer = self.post(&realm.end_session_endpoint, form).await?;
        if answer.status().is_success() {
            return Ok(());
        }
        tracing::warn!(status = %answer.status(), "a session could not be ended at the provider");
        Err(ProviderError::Unavailable)
    }
}
