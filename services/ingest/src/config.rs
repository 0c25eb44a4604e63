//! The configuration of this service, read once.

use bionicpro_mesh::clickhouse;
use bionicpro_mesh::config::{Basics, Environment, Fields, Invalid};
use std::time::Duration;
use tokio_postgres::config::Config as Database;

use crate::rehearsal::Rehearsal;

const PORT: u16 = 7053;
const CRM_LIMIT_SECONDS: u64 = 30;

/// What the process is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Answer calls and work on runs.
    Serve,
    /// Bring the tables up to date and end.
    Migrate,
}

/// Everything that this service is told.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) command: Command,
    pub(crate) basics: Basics,
    /// The source of readings, by a role that can only read (`telemetry-database-url`).
    pub(crate) telemetry_database: Database,
    /// The records of runs (`operational-database-url`).
    pub(crate) operational_database: Database,
    pub(crate) clickhouse: clickhouse::Settings,
    /// How long a run waits for the CRM's changes from before it (`crm-limit-seconds`).
    pub(crate) crm_limit: Duration,
    /// For tests (`daily-load-rehearsal`).
    pub(crate) rehearsal: Rehearsal,
}

impl Config {
    pub(crate) fn read(fields: &Fields) -> Result<Self, Invalid> {
        let command = fields.command(&["serve", "migrate"]);
        let basics = Basics::read(fields, PORT);
        let telemetry_database = database(fields, "telemetry-database-url");
        let operational_database = database(fields, "operational-database-url");
        let clickhouse = clickhouse::Settings::read(fields);
        let crm_limit = fields.or("crm-limit-seconds", CRM_LIMIT_SECONDS);
        let rehearsal = fields.or("daily-load-rehearsal", Rehearsal::default());
        let (basics, rehearsal) = (basics?, rehearsal?);
        if rehearsal != Rehearsal::Off && basics.environment != Environment::Development {
            return Err(fields.invalid("daily-load-rehearsal", "is for development only"));
        }
        Ok(Self {
            command: match command? {
                "migrate" => Command::Migrate,
                _ => Command::Serve,
            },
            basics,
            telemetry_database: telemetry_database?,
            operational_database: operational_database?,
            clickhouse: clickhouse?,
            crm_limit: Duration::from_secs(crm_limit?),
            rehearsal,
        })
    }
}

/// The address holds a password: what is wrong with it is not repeated.
fn database(fields: &Fields, name: &'static str) -> Result<Database, Invalid> {
    let url = fields.secret(name)?;
    secrecy::ExposeSecret::expose_secret(&url)
        .parse()
        .map_err(|_| fields.invalid(name, "is not the address of a Postgres database"))
}
