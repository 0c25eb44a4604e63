//! What can be asked of `cargo stack`, as clap reads it.

use clap::{Args, Parser, Subcommand};

use crate::checkout::Profile;

/// Runs the BionicPRO mesh on this machine: the real parts, no containers.
#[derive(Debug, Parser)]
#[command(name = "cargo stack", bin_name = "cargo stack", version)]
pub(crate) struct Cli {
    /// Which stack is meant.
    #[arg(long, global = true, value_enum, default_value = "dev")]
    pub(crate) profile: Profile,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Provision, build and start everything; returns when it is ready.
    Up(Up),
    /// Stop everything; data stays.
    Down,
    /// Stop everything and remove its data.
    Reset,
    /// Stop a part and start it again; a service of ours is built first.
    Restart {
        /// The part.
        part: String,
    },
    /// Show what runs.
    Status,
    /// Print the end of a part's log.
    Logs {
        /// The part.
        part: String,
        /// Go on as it grows.
        #[arg(long, short)]
        follow: bool,
    },
    /// Name everything that would stop the stack from starting.
    Doctor,
    /// Render all templates and topology.json without starting anything.
    Render,
    /// Print an access token of a client: internal, gateway.
    Token {
        /// The client, with or without the prefix `bionicpro-`.
        client: String,
    },
    /// Query a database: crm, telemetry, bionicpro, keycloak or clickhouse.
    Sql {
        /// The database.
        database: String,
        /// The statement; without it, Postgres gives a prompt.
        statement: Option<String>,
    },
}

/// Options of `up`.
#[derive(Debug, Default, Args)]
pub(crate) struct Up {
    /// Leave these parts out.
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    pub(crate) without: Vec<String>,
    /// Start only these parts.
    #[arg(
        long,
        value_name = "PART",
        value_delimiter = ',',
        conflicts_with = "without"
    )]
    pub(crate) only: Vec<String>,
}
