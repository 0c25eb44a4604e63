//! The fields that every program of the mesh has.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use url::Url;

use super::{Fields, Invalid};
use crate::identity::Verifier;
use crate::telemetry;

/// How long calls under way may take to end, unless the program is told otherwise; less than what
/// supervises it waits (docs/operations.md, "Stopping and restarting").
const DRAIN_SECONDS: u32 = 10;

/// Where the program runs. What makes development easy is closed in production.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// A developer's machine.
    Development,
    /// Anywhere else.
    #[default]
    Production,
}

impl FromStr for Environment {
    type Err = &'static str;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        match value {
            "development" => Ok(Self::Development),
            "production" => Ok(Self::Production),
            _ => Err("use development or production"),
        }
    }
}

/// What every program of the mesh is told.
#[derive(Clone, Debug)]
pub struct Basics {
    /// The address to listen on (`listen`).
    pub listen: SocketAddr,
    /// The identity provider's realm by the browser's address; equals the claim `iss` (`issuer`).
    pub issuer: Url,
    /// The same realm by the address that services use (`issuer-internal-url`).
    pub issuer_internal_url: Url,
    /// Where the program runs (`environment`).
    pub environment: Environment,
    /// How long calls under way may take to end when the program is told to stop; then they are cut
    /// off (`drain-seconds`).
    pub drain: Duration,
    /// Logs, traces and metrics (`log`, `otlp-endpoint`, `trace-ratio`).
    pub telemetry: telemetry::Settings,
}

impl Basics {
    /// Reads the fields; `port` is the port of the default address on loopback.
    ///
    /// # Errors
    /// A field is wrong.
    pub fn read(fields: &Fields, port: u16) -> Result<Self, Invalid> {
        let listen = fields.or("listen", SocketAddr::from(([127, 0, 0, 1], port)));
        let issuer = fields.required::<Url>("issuer");
        let internal = fields.optional("issuer-internal-url");
        let environment = fields.or("environment", Environment::default());
        let drain_seconds = fields.or("drain-seconds", DRAIN_SECONDS);
        let telemetry = telemetry::Settings::read(fields);
        let issuer = issuer?;
        Ok(Self {
            listen: listen?,
            issuer_internal_url: internal?.unwrap_or_else(|| issuer.clone()),
            issuer,
            environment: environment?,
            drain: Duration::from_secs(drain_seconds?.into()),
            telemetry: telemetry?,
        })
    }

    /// Verifies tokens made for `audience`, this program's own name.
    #[must_use]
    pub fn verifier(&self, audience: &str) -> Verifier {
        Verifier::new(
            self.issuer.as_str(),
            self.issuer_internal_url.as_str(),
            audience,
        )
    }
}
