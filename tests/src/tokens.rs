//! Tokens as the realm issues them, and ones that it never would.

use std::time::Duration;

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::LOCATION;
use ring::hmac;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::Topology;
use crate::topology::{Client, User};

/// The token of one of the realm's service clients.
///
/// # Errors
/// When Keycloak refuses.
pub async fn of_client(stack: &Topology, client: &Client) -> anyhow::Result<String> {
    let grant = [
        ("grant_type", "client_credentials"),
        ("client_id", &client.id),
        ("client_secret", &client.secret),
    ];
    token(&stack.keycloak.token_endpoint, &grant).await
}

/// A client that the realm has only while a test runs.
pub struct Guest {
    client: Client,
    token_endpoint: Url,
    address: String,
    admin_token: String,
}

/// How a guest's tokens differ from those of people in browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Not at all.
    None,
    /// They have expired almost at once.
    ShortLived,
    /// They are made for a service that is not ours.
    ForeignAudience,
}

impl Guest {
    /// Makes the client, whose tokens are those of the application's own client
    /// but for a difference.
    ///
    /// # Errors
    /// When Keycloak refuses.
    pub async fn new(stack: &Topology, difference: Difference) -> anyhow::Result<Self> {
        let admin_token = admin_token(stack).await?;
        let web = declared(stack, &stack.keycloak.clients.web, &admin_token).await?;
        let client = Client {
            id: format!("test-{}", Uuid::new_v4()),
            secret: Uuid::new_v4().to_string(),
        };
        let declared = declaration(&client, &web["protocolMappers"], difference)?;
        let made = crate::http()
            .post(clients_of(stack))
            .bearer_auth(&admin_token)
            .json(&declared)
            .send()
            .await?;
        let address = made
            .error_for_status_ref()?
            .headers()
            .get(LOCATION)
            .context("no address")?;
        Ok(Self {
            client,
            token_endpoint: stack.keycloak.token_endpoint.clone(),
            address: address.to_str()?.to_owned(),
            admin_token,
        })
    }

    /// A person's token.
    ///
    /// # Errors
    /// When Keycloak refuses.
    pub async fn token_of(&self, user: &User) -> anyhow::Result<String> {
        let grant = [
            ("grant_type", "password"),
            ("client_id", &self.client.id),
            ("client_secret", &self.client.secret),
            ("username", &user.username),
            ("password", &user.password),
        ];
        let _one_at_a_time = crate::one_password_at_a_time().await;
        token(&self.token_endpoint, &grant).await
    }

    /// Takes the client out of the realm.
    ///
    /// # Errors
    /// When Keycloak refuses.
    pub async fn leave(self) -> anyhow::Result<()> {
        delete(&self.address, &self.admin_token).await
    }
}

fn declaration(client: &Client, mappers: &Value, difference: Difference) -> anyhow::Result<Value> {
    let mut mappers = mappers
        .as_array()
        .context("the client has no mappers")?
        .clone();
    ensure!(!mappers.is_empty(), "the client has no mappers");
    for mapper in &mut mappers {
        mapper
            .as_object_mut()
            .context("a mapper is an object")?
            .remove("id");
    }
    if difference == Difference::ForeignAudience {
        for mapper in &mut mappers {
            if mapper["protocolMapper"] == "oidc-audience-mapper" {
                mapper["config"]["included.custom.audience"] = json!("somebody-else");
            }
        }
    }
    let lifespan_seconds = if difference == Difference::ShortLived {
        "1"
    } else {
        "300"
    };
    Ok(json!({
        "clientId": client.id,
        "secret": client.secret,
        "standardFlowEnabled": false,
        "directAccessGrantsEnabled": true,
        "fullScopeAllowed": true,
        "attributes": { "access.token.lifespan": lifespan_seconds },
        "defaultClientScopes": ["basic", "roles"],
        "protocolMappers": mappers,
    }))
}

/// The application's access tokens live for another time than usual, until told
/// otherwise.
#[must_use = "the tokens of all later tests live as long"]
pub struct Lifespan {
    address: String,
    admin_token: String,
    usual: Value,
}

impl Lifespan {
    /// Changes how long the access tokens of people in browsers live.
    ///
    /// # Errors
    /// When Keycloak refuses.
    pub async fn of_the_application(stack: &Topology, life: Duration) -> anyhow::Result<Self> {
        let admin_token = admin_token(stack).await?;
        let usual = declared(stack, &stack.keycloak.clients.web, &admin_token).await?;
        let address = address_of(stack, &usual)?;
        let mut changed = usual.clone();
        changed["attributes"]["access.token.lifespan"] = json!(life.as_secs().to_string());
        put(&address, &admin_token, &changed).await?;
        Ok(Self {
            address,
            admin_token,
            usual,
        })
    }

    /// Makes it the usual time again.
    ///
    /// # Errors
    /// When Keycloak refuses.
    pub async fn end(self) -> anyhow::Result<()> {
        put(&self.address, &self.admin_token, &self.usual).await
    }
}

async fn put(address: &str, token: &str, value: &Value) -> anyhow::Result<()> {
    let answer = crate::http()
        .put(address)
        .bearer_auth(token)
        .json(value)
        .send()
        .await?;
    answer.error_for_status()?;
    Ok(())
}

/// Takes a client out of the realm, for good.
///
/// # Errors
/// When Keycloak refuses, or there is none.
pub async fn delete_client(stack: &Topology, client: &Client) -> anyhow::Result<()> {
    let admin_token = admin_token(stack).await?;
    let client = declared(stack, client, &admin_token).await?;
    delete(&address_of(stack, &client)?, &admin_token).await
}

/// A client as the realm has it.
async fn declared(stack: &Topology, client: &Client, admin_token: &str) -> anyhow::Result<Value> {
    let query = format!("{}?clientId={}", clients_of(stack), client.id);
    let found = crate::http()
        .get(query)
        .bearer_auth(admin_token)
        .send()
        .await?;
    let mut found: Value = found.error_for_status()?.json().await?;
    let found = found.get_mut(0).context("there is no such client")?;
    Ok(found.take())
}

fn clients_of(stack: &Topology) -> String {
    format!("{}admin/realms/bionicpro/clients", stack.keycloak.url)
}

fn address_of(stack: &Topology, declared: &Value) -> anyhow::Result<String> {
    let id = declared["id"].as_str().context("the client has no id")?;
    Ok(format!("{}/{id}", clients_of(stack)))
}

async fn delete(address: &str, admin_token: &str) -> anyhow::Result<()> {
    let answer = crate::http()
        .delete(address)
        .bearer_auth(admin_token)
        .send()
        .await?;
    answer.error_for_status()?;
    Ok(())
}

/// Ends all of a person's sessions at Keycloak, which tells nobody of it.
///
/// # Errors
/// When Keycloak refuses.
pub async fn end_sessions_of(stack: &Topology, user: &User) -> anyhow::Result<()> {
    let admin_token = admin_token(stack).await?;
    let users = format!("{}admin/realms/bionicpro/users", stack.keycloak.url);
    let query = format!("{users}?exact=true&username={}", user.username);
    let found = crate::http()
        .get(query)
        .bearer_auth(&admin_token)
        .send()
        .await?;
    let found: Value = found.error_for_status()?.json().await?;
    let id = found[0]["id"].as_str().context("there is no such person")?;
    let logout = crate::http().post(format!("{users}/{id}/logout"));
    logout
        .bearer_auth(&admin_token)
        .send()
        .await?
        .error_for_status()?;
    Ok(())
}

async fn admin_token(stack: &Topology) -> anyhow::Result<String> {
    let keycloak = &stack.keycloak;
    let endpoint = keycloak
        .url
        .join("realms/master/protocol/openid-connect/token")?;
    let grant = [
        ("grant_type", "password"),
        ("client_id", "admin-cli"),
        ("username", &keycloak.admin_user),
        ("password", &keycloak.admin_password),
    ];
    token(&endpoint, &grant).await
}

async fn token(endpoint: &Url, grant: &[(&str, &str)]) -> anyhow::Result<String> {
    let answer = crate::http()
        .post(endpoint.clone())
        .form(grant)
        .send()
        .await?;
    let status = answer.status();
    let answer: Value = answer.json().await?;
    let token = answer["access_token"].as_str();
    Ok(token
        .with_context(|| format!("{status}: {answer}"))?
        .to_owned())
}

/// The token with another signature.
///
/// # Panics
/// When it is no token.
#[must_use]
pub fn forged(token: &str) -> String {
    let [header, claims, signature] = parts(token);
    let mut signature = decoded(signature);
    signature[0] ^= 1;
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The token with another role under the signature of the old one.
///
/// # Panics
/// When it is no token.
#[must_use]
pub fn with_role(token: &str, role: &str) -> String {
    let [header, claims, signature] = parts(token);
    let mut claims: Value = json_of(claims);
    claims["realm_access"]["roles"] = json!([role]);
    format!(
        "{header}.{}.{signature}",
        URL_SAFE_NO_PAD.encode(claims.to_string())
    )
}

/// The token without a signature, which says so (`alg` `none`, RFC 7519 §6).
///
/// # Panics
/// When it is no token.
#[must_use]
pub fn unsigned(token: &str) -> String {
    let [header, claims, _] = parts(token);
    format!("{}.{claims}.", with_algorithm(header, "none"))
}

/// The token signed with a secret that everybody knows: the realm's public key.
///
/// # Panics
/// When it is no token.
#[must_use]
pub fn signed_with_public_key(token: &str, modulus: &str) -> String {
    let [header, claims, _] = parts(token);
    let signed = format!("{}.{claims}", with_algorithm(header, "HS256"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &decoded(modulus));
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// The modulus of the realm's signing key, as its JWKS has it.
///
/// # Errors
/// When Keycloak does not answer, or has no such key.
pub async fn public_key(stack: &Topology) -> anyhow::Result<String> {
    let address = format!("{}/protocol/openid-connect/certs", stack.keycloak.issuer);
    let keys: Value = crate::http().get(address).send().await?.json().await?;
    let keys = keys["keys"].as_array().context("no keys")?;
    let signing = keys
        .iter()
        .find(|key| key["use"] == "sig")
        .context("no signing key")?;
    Ok(signing["n"].as_str().context("no RSA key")?.to_owned())
}

fn with_algorithm(header: &str, algorithm: &str) -> String {
    let mut header: Value = json_of(header);
    header["alg"] = json!(algorithm);
    URL_SAFE_NO_PAD.encode(header.to_string())
}

fn parts(token: &str) -> [&str; 3] {
    let parts: Vec<&str> = token.split('.').collect();
    parts
        .try_into()
        .unwrap_or_else(|_| panic!("a token has three parts"))
}

fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode(part)
        .unwrap_or_else(|error| panic!("not base64url: {error}"))
}

fn json_of(part: &str) -> Value {
    serde_json::from_slice(&decoded(part)).unwrap_or_else(|error| panic!("not JSON: {error}"))
}
