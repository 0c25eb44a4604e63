//! How services reach ClickHouse: one client with settings that are fast, the trace in every
//! query, and migrations. What they ask is their own.

mod migrate;
pub mod native;
mod query_error;

use std::time::Duration;

use clickhouse::Client;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::config::{Fields, Invalid};
use crate::telemetry;
pub use migrate::{MigrateError, Migration, migrate};
pub use query_error::QueryError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// Shorter than the three seconds after which ClickHouse closes a silent connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// Where ClickHouse is and who asks.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The HTTP address (`clickhouse-url`).
    pub url: Url,
    /// The user (`clickhouse-user`).
    pub user: String,
    /// The user's password (`clickhouse-password`).
    pub password: SecretString,
    /// The database (`clickhouse-database`).
    pub database: String,
}

impl Settings {
    /// Reads the fields.
    ///
    /// # Errors
    /// A field is wrong.
    pub fn read(fields: &Fields) -> Result<Self, Invalid> {
        let url = fields.required("clickhouse-url");
        let user = fields.required("clickhouse-user");
        let password = fields.secret("clickhouse-password");
        let database = fields.or("clickhouse-database", "bionicpro".to_owned());
        Ok(Self {
            url: url?,
            user: user?,
            password: password?,
            database: database?,
        })
    }
}

/// A client over connections with NODELAY: without it a small insert takes 44 ms instead of 2.
/// Nothing is connected yet.
#[must_use]
pub fn connect(settings: &Settings) -> Client {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_keepalive(Some(KEEP_ALIVE));
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let http = HyperClient::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build(connector);
    Client::with_http_client(http)
        .with_url(settings.url.as_str())
        .with_user(&settings.user)
        .with_password(settings.password.expose_secret())
        .with_database(&settings.database)
}

/// How long ClickHouse may take to accept a piece of a block, and to answer when it has all.
const INSERT_TIMEOUT: Duration = Duration::from_secs(60);

/// Inserts a block into `target`, a table and perhaps its columns. The same block again changes
/// nothing: ClickHouse knows it by its content. A name made of offsets would also fit the first
/// messages of a topic that was made anew.
///
/// # Errors
/// It may or may not be inserted: try again with the same block.
pub async fn insert(
    client: &Client,
    target: &str,
    block: &native::Encoded,
) -> Result<(), clickhouse::error::Error> {
    let mut insert = traced(client)
        .insert_formatted_with(format!("INSERT INTO {target} FORMAT Native"))
        .with_setting(
            "insert_deduplication_token",
            format!("{:032x}", block.digest()),
        )
        .with_timeouts(Some(INSERT_TIMEOUT), Some(INSERT_TIMEOUT));
    for piece in block.chunks().filter(|piece| !piece.is_empty()) {
        insert.send(piece).await?;
    }
    insert.end().await
}

/// The client for one query: it carries the trace of the span that this code runs in.
#[must_use]
pub fn traced(client: &Client) -> Client {
    match telemetry::traceparent() {
        Some(traceparent) => client.clone().with_header("traceparent", traceparent),
        None => client.clone(),
    }
}
