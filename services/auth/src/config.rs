//! The configuration of the auth service.

use std::time::Duration;

use bionicpro_mesh::config::{Basics, Fields, Invalid};
use redis::Client;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{sealing::KeyRing, session::Limits, store::keycloak};

const PORT: u16 = 7051;
const AUDIENCE: &str = "bionicpro-auth";

/// Where the gateway takes the answers of the identity provider.
const CALLBACK: &str = "/auth/callback";

/// What the auth service is told.
pub(crate) struct Config {
    /// What every program is told.
    pub(crate) basics: Basics,
    /// Where sessions are kept (`redis-url`).
    pub(crate) redis: Client,
    /// The keys that seal them (`session-keys`).
    pub(crate) keys: KeyRing,
    /// How long they live (`session-idle-seconds`, `session-absolute-seconds`).
    pub(crate) limits: Limits,
    /// Who signs people in (`client-id`, `client-secret`, `public-url`).
    pub(crate) keycloak: keycloak::Settings,
}

impl Config {
    /// The service's own name among the audiences of tokens.
    pub(crate) const AUDIENCE: &str = AUDIENCE;

    /// Reads the fields.
    ///
    /// # Errors
    /// A field is wrong.
    pub(crate) fn read(fields: &Fields) -> Result<Self, Invalid> {
        let command = fields.command(&["serve"]);
        let basics = Basics::read(fields, PORT);
        let redis = fields
            .secret("redis-url")
            .and_then(|url| open(fields, &url));
        let keys = fields
            .secret("session-keys")
            .and_then(|keys| parse(fields, &keys));
        let idle = fields.or("session-idle-seconds", 30 * 60);
        let absolute = fields.or("session-absolute-seconds", 10 * 60 * 60);
        let client_id = fields.or("client-id", "bionicpro-web".to_owned());
        let client_secret = fields.secret("client-secret");
        let redirect_uri = fields.required::<Url>("public-url").and_then(|url| {
            url.join(CALLBACK)
                .map_err(|error| fields.invalid("public-url", error))
        });
        command?;
        let basics = basics?;
        Ok(Self {
            redis: redis?,
            keys: keys?,
            limits: Limits {
                idle: Duration::from_secs(idle?),
                absolute: Duration::from_secs(absolute?),
            },
            keycloak: keycloak::Settings {
                issuer: basics.issuer.as_str().trim_end_matches('/').to_owned(),
                internal_url: basics.issuer_internal_url.to_string(),
                client_id: client_id?,
                client_secret: client_secret?,
                redirect_uri: redirect_uri?,
            },
            basics,
        })
    }
}

/// The address of Redis may hold a password, so nothing of it is repeated.
fn open(fields: &Fields, url: &SecretString) -> Result<Client, Invalid> {
    Client::open(url.expose_secret())
        .map_err(|_| fields.invalid("redis-url", "is not a redis:// address"))
}

fn parse(fields: &Fields, keys: &SecretString) -> Result<KeyRing, Invalid> {
    keys.expose_secret()
        .parse()
        .map_err(|error| fields.invalid("session-keys", error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const GOOD: [&str; 6] = [
        "--issuer=http://localhost:8080/realms/bionicpro",
        "--issuer-internal-url=http://keycloak:8080/realms/bionicpro",
        "--redis-url=redis://127.0.0.1:6379",
        "--session-keys=k:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        "--client-secret=secret",
        "--public-url=http://localhost:3000",
    ];

    fn read(arguments: &[&str]) -> Result<Config, Vec<String>> {
        let arguments: Vec<_> = arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect();
        Fields::new(arguments.into_iter(), |_| None).read(Config::read)
    }

    #[test]
    fn the_redirect_uri_is_the_gateways_callback() {
        let config = read(&GOOD).unwrap();
        assert_eq!(
            config.keycloak.redirect_uri.as_str(),
            "http://localhost:3000/auth/callback"
        );
        assert_eq!(
            config.keycloak.issuer,
            "http://localhost:8080/realms/bionicpro"
        );
    }

    #[test]
    fn every_wrong_field_is_named_and_no_secret_repeated() {
        let problems = read(&[
            "--issuer=nowhere",
            "--redis-url=hunter2",
            "--session-keys=k:hunter2",
            "--public-url=x",
        ]);
        let problems = problems.err().unwrap().join("\n");
        for field in [
            "issuer",
            "redis-url",
            "session-keys",
            "client-secret",
            "public-url",
        ] {
            assert!(problems.contains(field), "{field}: {problems}");
        }
        assert!(!problems.contains("hunter2"), "{problems}");
    }
}
