//! The configuration of this service, read once.

use bionicpro_mesh::config::{Basics, Fields, Invalid};
use bionicpro_mesh::rehearsal::Rehearsal;
use bionicpro_mesh::{clickhouse, postgres};
use secrecy::ExposeSecret as _;
use tokio_postgres::config::Config as Database;
use url::Url;

use crate::export::keys::Keys;
use crate::store::FilesSettings;

const PORT: u16 = 7052;
const REGION: &str = "us-east-1";
const BUCKET: &str = "exports";

/// What the process is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Answer calls and make files.
    Serve,
    /// Bring the tables up to date and end.
    Migrate,
}

/// Everything that this service is told.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) command: Command,
    pub(crate) basics: Basics,
    pub(crate) clickhouse: clickhouse::Settings,
    /// The index of exports (`operational-database-url`).
    pub(crate) operational_database: Database,
    /// Where files lie (`s3-url`, `s3-region`, `s3-bucket`, `s3-access-key`, `s3-secret-key`).
    pub(crate) files: FilesSettings,
    /// Name files and sign links (`export-keys`).
    pub(crate) keys: Keys,
    /// For tests (`exports-rehearsal`).
    pub(crate) rehearsal: Rehearsal,
}

impl Config {
    pub(crate) fn read(fields: &Fields) -> Result<Self, Invalid> {
        let command = fields.command(&["serve", "migrate"]);
        let basics = Basics::read(fields, PORT);
        let clickhouse = clickhouse::Settings::read(fields);
        let operational_database = postgres::address(fields, "operational-database-url");
        let files = files(fields);
        let keys = keys(fields);
        let rehearsal = fields.development_only("exports-rehearsal");
        Ok(Self {
            command: match command? {
                "migrate" => Command::Migrate,
                _ => Command::Serve,
            },
            basics: basics?,
            clickhouse: clickhouse?,
            operational_database: operational_database?,
            files: files?,
            keys: keys?,
            rehearsal: rehearsal?.unwrap_or_default(),
        })
    }
}

fn files(fields: &Fields) -> Result<FilesSettings, Invalid> {
    let url = fields.required::<Url>("s3-url");
    let region = fields.or("s3-region", REGION.to_owned());
    let bucket = fields.or("s3-bucket", BUCKET.to_owned());
    let access_key = fields.required("s3-access-key");
    let secret_key = fields.secret("s3-secret-key");
    let url = url?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fields.invalid("s3-url", "use an http or https address"));
    }
    Ok(FilesSettings {
        url,
        region: region?,
        bucket: bucket?,
        access_key: access_key?,
        secret_key: secret_key?,
    })
}

fn keys(fields: &Fields) -> Result<Keys, Invalid> {
    let keys = fields.secret("export-keys")?;
    keys.expose_secret()
        .parse()
        .map_err(|problem| fields.invalid("export-keys", problem))
}
