//! The gateway's configuration.

use std::num::NonZeroU32;
use std::path::PathBuf;

use bionicpro_mesh::config::{self, Basics, Fields, Invalid};
use http::Uri;
use http::uri::Authority;
use secrecy::SecretString;
use url::Url;

use crate::origin::Origin;

const DEFAULT_PORT: u16 = 3000;
const SIGN_INS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).unwrap();

/// What the gateway is told.
pub struct Config {
    pub(crate) basics: Basics,
    /// The origin under which browsers reach the gateway (`public-url`).
    pub(crate) origin: Origin,
    /// The application's built files (`app-dir`).
    pub(crate) app_dir: PathBuf,
    /// Where the services answer, by package (`auth-url`, `reports-url`, …).
    pub(crate) services: Vec<(&'static str, Authority)>,
    /// Auth's address for the gateway's own calls (`auth-url`).
    pub(crate) auth_url: String,
    /// The gateway's own client at the identity provider (`client-id`).
    pub(crate) client_id: String,
    /// And its secret (`client-secret`).
    pub(crate) client_secret: SecretString,
    /// How many sign-ins one address may begin (`sign-ins-per-minute`).
    pub(crate) sign_ins_per_minute: NonZeroU32,
}

impl Config {
    /// Reads the configuration, or ends the process with one message.
    #[must_use]
    pub fn from_process() -> Self {
        config::from_process(fields)
    }
}

fn fields(fields: &Fields) -> Result<Config, Invalid> {
    let basics = Basics::read(fields, DEFAULT_PORT);
    let origin = origin(fields);
    let app_dir = fields.required("app-dir");
    let auth = authority(fields, "auth-url");
    let reports = authority(fields, "reports-url");
    let ingest = authority(fields, "ingest-url");
    let cdc = authority(fields, "cdc-url");
    let client_id = fields.or("client-id", "bionicpro-gateway".to_owned());
    let client_secret = fields.secret("client-secret");
    let sign_ins_per_minute = fields.or("sign-ins-per-minute", SIGN_INS_PER_MINUTE);
    let auth = auth?;
    Ok(Config {
        basics: basics?,
        origin: origin?,
        app_dir: app_dir?,
        auth_url: format!("http://{auth}"),
        services: vec![
            ("auth", auth),
            ("reports", reports?),
            ("ingest", ingest?),
            ("cdc", cdc?),
        ],
        client_id: client_id?,
        client_secret: client_secret?,
        sign_ins_per_minute: sign_ins_per_minute?,
    })
}

fn origin(fields: &Fields) -> Result<Origin, Invalid> {
    let public_url: Url = fields.required("public-url")?;
    Origin::of(&public_url)
        .ok_or_else(|| fields.invalid("public-url", "use an http or https address"))
}

/// The services stand on the same private network: they are reached without TLS.
fn authority(fields: &Fields, name: &'static str) -> Result<Authority, Invalid> {
    let address: Uri = fields.required(name)?;
    match address.into_parts() {
        http::uri::Parts {
            scheme: Some(scheme),
            authority: Some(authority),
            ..
        } if scheme == http::uri::Scheme::HTTP => Ok(authority),
        _ => Err(fields.invalid(name, "use an address such as http://127.0.0.1:7051")),
    }
}
