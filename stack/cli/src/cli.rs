//! What can be asked of `cargo stack`, as clap reads it.

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};

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
    /// Bring parts that run into their declared state: a step of the Compose stack's start.
    #[command(hide = true)]
    Configure {
        /// The parts, in order.
        #[arg(required = true)]
        parts: Vec<String>,
    },
    /// Bring what was seeded to where reports read it: the last step of the Compose stack's start.
    #[command(hide = true)]
    Load,
    /// Fill the CRM and the telemetry store with a made-up world.
    Seed(Seed),
    /// Let the seeded devices send readings, as now, until Ctrl-C.
    Simulate(Simulate),
    /// Run the test suites, all of them when none is named, and sum them up.
    Test {
        /// The suites.
        #[arg(value_enum)]
        suites: Vec<Suite>,
        /// Start these parts, too, instead of those in whose place they stand: minio.
        #[arg(long, value_name = "PART", value_delimiter = ',')]
        with: Vec<String>,
    },
    /// Run benchmarks against the running stack, all when none is named.
    Bench {
        /// The benchmarks: gateway, session, cdc, telemetry, ingest, export, cdn.
        names: Vec<String>,
    },
    /// Print an access token of a client: internal, gateway, devices.
    Token {
        /// The client, with or without the prefix `bionicpro-`.
        client: String,
    },
    /// Bring a part into the cache: what a process that joins later does first.
    #[command(hide = true)]
    Provision {
        /// The part.
        part: String,
    },
    /// Query a database: crm, telemetry, bionicpro, keycloak or clickhouse.
    Sql {
        /// The database.
        database: String,
        /// The statement; without it, Postgres gives a prompt.
        statement: Option<String>,
    },
}

/// What `cargo stack test` can run, in the order in which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Suite {
    /// Formatting, clippy, contracts, dependencies, the app's sources.
    Lint,
    /// Units and properties: no other process.
    Unit,
    /// The app's own tests.
    Frontend,
    /// The files for containers: read by their projects' own parsers, built, and started where there
    /// is an engine.
    Compose,
    /// The whole mesh, on a stack of its own.
    E2e,
    /// Readings on their way into the reports, on the same stack.
    Ingest,
    /// Reports as files, from the request to the download, on the same stack.
    Exports,
    /// The same with MinIO in the place of SeaweedFS, on the same stack.
    Minio,
    /// One trace through all processes, and metrics, on the same stack.
    Traces,
    /// The app in a real browser, on the same stack.
    Browser,
    /// What the mesh survives: its parts are killed while it works.
    Faults,
    /// `cargo stack` itself: interrupted, called twice, in the way of others.
    Stack,
    /// Every command of the README, against the test stack.
    Readme,
}

/// Options of `up`.
#[derive(Debug, Default, Args)]
pub(crate) struct Up {
    /// Start these parts, too, instead of those in whose place they stand: minio.
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    pub(crate) with: Vec<String>,
    /// Leave these parts out.
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    pub(crate) without: Vec<String>,
    /// Start only these parts.
    #[arg(
        long,
        value_name = "PART",
        value_delimiter = ',',
        conflicts_with_all = ["without", "with"]
    )]
    pub(crate) only: Vec<String>,
}

/// Options of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Devices that send, those of the people who can sign in first.
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u32).range(1..=100_000))]
    pub(crate) devices: u32,
    /// Readings a second, of all devices together.
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u32).range(1..=20_000))]
    pub(crate) rate: u32,
    /// Stop after so many seconds.
    #[arg(long, value_parser = value_parser!(u32).range(1..))]
    pub(crate) seconds: Option<u32>,
}

/// Options of `seed`; what is left out comes from the topology.
#[derive(Debug, Default, Args)]
pub(crate) struct Seed {
    /// Customers in the CRM.
    #[arg(long, value_parser = value_parser!(u32).range(2..=100_000))]
    pub(crate) customers: Option<u32>,
    /// Days of readings.
    #[arg(long, value_parser = value_parser!(u32).range(2..=3_660))]
    pub(crate) days: Option<u32>,
    /// Picks the world: the same numbers make the same rows.
    #[arg(long, value_parser = value_parser!(u64).range(..=i64::MAX as u64))]
    pub(crate) seed: Option<u64>,
    /// The last day of readings (UTC); yesterday when it is left out.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) until: Option<NaiveDate>,
    /// Seed anew where something was seeded: what was there is deleted.
    #[arg(long)]
    pub(crate) replace: bool,
}
