//! What the provider says of itself: its endpoints and its keys (OpenID Connect
//! Discovery 1.0), and the OpenID Connect client made of them.

use std::time::Instant;

use openidconnect::{
    AdditionalClaims, AuthUrl, ClientId, ClientSecret, EmptyExtraTokenFields, EndpointNotSet,
    EndpointSet, IdTokenFields, IssuerUrl, JsonWebKeySetUrl, RedirectUrl, StandardErrorResponse,
    StandardTokenResponse, TokenUrl,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
        CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
        CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse,
        CoreTokenType,
    },
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Settings, http::Http};

/// What an id token says besides the standard claims.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct SessionClaims {
    /// The provider's session (OpenID Connect Front-Channel Logout 1.0, section 3).
    pub(super) sid: String,
}

impl AdditionalClaims for SessionClaims {}

/// The answer of the token endpoint.
pub(super) type TokenResponse = StandardTokenResponse<
    IdTokenFields<
        SessionClaims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

/// The error answer of the token endpoint.
pub(super) type TokenRefusal = StandardErrorResponse<CoreErrorResponseType>;

type OidcClient = openidconnect::Client<
    SessionClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    TokenRefusal,
    TokenResponse,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// The provider as it described itself.
pub(super) struct Realm {
    /// When it was asked: what it signed later may be signed with newer keys.
    pub(super) asked: Instant,
    /// Makes and reads the messages of OpenID Connect.
    pub(super) oidc: OidcClient,
    /// The page that the browser is sent to.
    pub(super) authorization_endpoint: Url,
    /// Where authorization requests are registered (RFC 9126).
    pub(super) pushed_authorization_request_endpoint: Url,
    /// Where sessions are ended.
    pub(super) end_session_endpoint: Url,
}

/// The part of the discovery document that is used.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    pushed_authorization_request_endpoint: Url,
    end_session_endpoint: Url,
}

impl Realm {
    /// Asks the provider, at its internal address, what it is.
    ///
    /// # Errors
    /// When it does not answer, or is another issuer than the configured one.
    pub(super) async fn discover(
        settings: &Settings,
        client: &Http,
    ) -> Result<Self, anyhow::Error> {
        let asked = Instant::now();
        let address = format!("{}/.well-known/openid-configuration", settings.internal());
        let answer = client
            .send(http::Request::get(address).body(Vec::new())?)
            .await?;
        anyhow::ensure!(
            answer.status().is_success(),
            "discovery answered {}",
            answer.status()
        );
        let metadata: Metadata = serde_json::from_slice(answer.body())?;
        anyhow::ensure!(
            metadata.issuer == settings.issuer,
            "the provider calls itself {}, not {}",
            metadata.issuer,
            settings.issuer
        );
        let keys = JsonWebKeySetUrl::from_url(settings.back_channel(metadata.jwks_uri)?);
        let keys = CoreJsonWebKeySet::fetch_async(&keys, client).await?;
        let par = metadata.pushed_authorization_request_endpoint;
        Ok(Self {
            asked,
            oidc: openidconnect::Client::new(
                ClientId::new(settings.client_id.clone()),
                IssuerUrl::new(settings.issuer.clone())?,
                keys,
            )
            .set_client_secret(ClientSecret::new(
                settings.client_secret.expose_secret().to_owned(),
            ))
            .set_auth_uri(AuthUrl::from_url(metadata.authorization_endpoint.clone()))
            .set_token_uri(TokenUrl::from_url(
                settings.back_channel(metadata.token_endpoint)?,
            ))
            .set_redirect_uri(RedirectUrl::from_url(settings.redirect_uri.clone())),
            authorization_endpoint: metadata.authorization_endpoint,
            pushed_authorization_request_endpoint: settings.back_channel(par)?,
            end_session_endpoint: settings.back_channel(metadata.end_session_endpoint)?,
        })
    }
}
