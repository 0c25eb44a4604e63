//! The gateway's configuration.

use std::net::SocketAddr;
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
    /// Where the CDN asks whether a browser may download (`downloads-listen`); nowhere without it.
    pub(crate) downloads_listen: Option<SocketAddr>,
    /// The origin of the CDN where it does not stand before the gateway (`downloads-url`).
    pub(crate) downloads_origin: Option<String>,
    /// Reports' address for the gateway's own calls (`reports-url`).
    pub(crate) reports_url: String,
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
    let downloads_listen = fields.optional("downloads-listen");
    let downloads_origin = downloads_origin(fields);
    let sign_ins_per_minute = fields.or("sign-ins-per-minute", SIGN_INS_PER_MINUTE);
    let (auth, reports) = (auth?, reports?);
    Ok(Config {
        basics: basics?,
        origin: origin?,
        app_dir: app_dir?,
        auth_url: format!("http://{auth}"),
        reports_url: format!("http://{reports}"),
        services: vec![
            ("auth", auth),
            ("reports", reports),
            ("ingest", ingest?),
            ("cdc", cdc?),
        ],
        client_id: client_id?,
        client_secret: client_secret?,
        downloads_listen: downloads_listen?,
        downloads_origin: downloads_origin?,
        sign_ins_per_minute: sign_ins_per_minute?,
    })
}

fn origin(fields: &Fields) -> Result<Origin, Invalid> {
    let public_url: Url = fields.required("public-url")?;
    Origin::of(&public_url)
        .ok_or_else(|| fields.invalid("public-url", "use an http or https address"))
}

/// A session's cookie reaches the host that set it and no other: on another one nobody could
/// download. Ports make no difference to cookies.
fn downloads_origin(fields: &Fields) -> Result<Option<String>, Invalid> {
    let downloads: Option<Url> = fields.optional("downloads-url")?;
    let Some(downloads) = downloads else {
        return Ok(None);
    };
    let public_url: Url = fields.required("public-url")?;
    if Origin::of(&downloads).is_none() {
        return Err(fields.invalid("downloads-url", "use an http or https address"));
    }
    if downloads.host() != public_url.host() {
        let problem = "must be on the host of public-url, whose cookie downloads need";
        return Err(fields.invalid("downloads-url", problem));
    }
    // On the same origin the CDN stands before the gateway; sent on, a link would come back.
    let other = downloads.origin() != public_url.origin();
    Ok(other.then(|| downloads.origin().ascii_serialization()))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn downloads(url: &str) -> Result<Option<String>, Vec<String>> {
        let arguments = [
            "--public-url=https://app.example".to_owned(),
            format!("--downloads-url={url}"),
        ];
        Fields::new(arguments.into_iter(), |_| None).read(downloads_origin)
    }

    #[test]
    fn downloads_on_another_host_than_the_app_are_refused() {
        for wrong in [
            "https://cdn.example",
            "https://app.example.evil.example",
            "ftp://app.example",
        ] {
            let problems = downloads(wrong).unwrap_err();
            assert!(problems[0].starts_with("--downloads-url"), "{problems:?}");
        }
    }

    #[test]
    fn downloads_on_the_apps_host_are_led_to_another_port_and_not_to_itself() {
        let other_port = downloads("https://app.example:8443/").unwrap();
        assert_eq!(other_port.as_deref(), Some("https://app.example:8443"));
        assert_eq!(downloads("https://app.example/").unwrap(), None);
    }
}
