//! Brings a service's tables up to date. What was applied stands in `schema_migrations`.
//! ClickHouse has no transactions over definitions, so a migration that stopped half-way runs
//! again: its statements must bear that (`IF NOT EXISTS`).

use std::time::Duration;

use clickhouse::Client;
use clickhouse::error::Error;

/// How long before a ClickHouse that is away is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// A file of statements, each ended by a semicolon at the end of a line.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The file's name, beginning with its number, for example `0001_tables`.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

/// Tables cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// ClickHouse answers, and not with what was asked: waiting would change nothing.
    #[error(
        "ClickHouse refuses; check clickhouse-url, clickhouse-user, clickhouse-password and \
         clickhouse-database: {0}"
    )]
    Refused(#[source] Error),
    /// A statement failed.
    #[error("{migration}: {source}")]
    Statement {
        /// Where.
        migration: String,
        /// Why.
        source: Error,
    },
    /// A migration was changed after it had been applied.
    #[error("{0} was changed after it had been applied: add a new migration instead")]
    Changed(&'static str),
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    owner LowCardinality(String), name String, sql String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = ReplacingMergeTree ORDER BY (owner, name)";

/// Applies those of `migrations`, in their order, that were not applied for `owner`, the service
/// that owns the tables. Waits for a ClickHouse that is away: whoever starts everything at once
/// need not know the order.
///
/// # Errors
/// ClickHouse refuses the user or the database, a statement fails, or an applied migration was
/// changed.
pub async fn migrate(
    client: &Client,
    owner: &str,
    migrations: &[Migration],
) -> Result<(), MigrateError> {
    wait_for(client).await?;
    run(client, TABLE, "schema_migrations").await?;
    for migration in migrations {
        match applied(client, owner, migration).await? {
            Some(sql) if sql == migration.sql => continue,
            Some(_) => return Err(MigrateError::Changed(migration.name)),
            None => {}
        }
        for statement in statements(migration.sql) {
            run(client, statement, migration.name).await?;
        }
        record(client, owner, migration).await?;
        tracing::info!(owner, migration = migration.name, "migrated");
    }
    Ok(())
}

async fn wait_for(client: &Client) -> Result<(), MigrateError> {
    loop {
        match client.query("SELECT 1").execute().await {
            Ok(()) => return Ok(()),
            Err(error @ (Error::Network(_) | Error::TimedOut)) => {
                tracing::warn!(%error, "ClickHouse does not answer: trying again");
            }
            Err(refusal) => return Err(MigrateError::Refused(refusal)),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn applied(
    client: &Client,
    owner: &str,
    migration: &Migration,
) -> Result<Option<String>, MigrateError> {
    client
        .query("SELECT sql FROM schema_migrations WHERE owner = ? AND name = ? LIMIT 1")
        .bind(owner)
        .bind(migration.name)
        .fetch_optional()
        .await
        .map_err(failed(migration.name))
}

async fn record(client: &Client, owner: &str, migration: &Migration) -> Result<(), MigrateError> {
    client
        .query("INSERT INTO schema_migrations (owner, name, sql) VALUES (?, ?, ?)")
        .bind(owner)
        .bind(migration.name)
        .bind(migration.sql)
        .execute()
        .await
        .map_err(failed(migration.name))
}

async fn run(client: &Client, statement: &str, migration: &str) -> Result<(), MigrateError> {
    client
        .query_raw(statement)
        .execute()
        .await
        .map_err(failed(migration))
}

fn failed(migration: &str) -> impl FnOnce(Error) -> MigrateError {
    move |source| MigrateError::Statement {
        migration: migration.to_owned(),
        source,
    }
}

/// The statements of a file; a semicolon within a line does not end one.
fn statements(sql: &str) -> impl Iterator<Item = &str> {
    let parts = sql
        .split_inclusive(";\n")
        .map(|part| part.trim().trim_end_matches(';'));
    parts.filter(|part| {
        part.lines()
            .any(|line| !line.trim_start().starts_with("--"))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    const WRONG_PASSWORD: &str = "Code: 516. DB::Exception: Authentication failed";

    /// Migrates against a server that closes so many connections without a word, and answers the
    /// next one that the password is wrong.
    async fn migrated_after(closed: usize) -> Result<(), MigrateError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            for _ in 0..closed {
                drop(listener.accept().await.unwrap());
            }
            let (mut connection, _) = listener.accept().await.unwrap();
            let length = WRONG_PASSWORD.len();
            let answer = format!(
                "HTTP/1.1 403 Forbidden\r\ncontent-length: {length}\r\n\r\n{WRONG_PASSWORD}"
            );
            assert!(connection.read(&mut [0; 1024]).await.unwrap() > 0);
            connection.write_all(answer.as_bytes()).await.unwrap();
            connection.shutdown().await.unwrap();
            let mut rest = Vec::new();
            connection.read_to_end(&mut rest).await.unwrap();
        });
        let client = Client::default().with_url(url);
        let outcome = migrate(&client, "somebody", &[]).await;
        drop(client);
        server.await.unwrap();
        outcome
    }

    #[tokio::test]
    async fn a_refusal_ends_the_migration_and_says_what_to_check() {
        let refusal = migrated_after(0).await.unwrap_err();
        let text = refusal.to_string();
        assert!(text.contains("clickhouse-password"), "{text}");
        assert!(text.contains(WRONG_PASSWORD), "{text}");
    }

    #[tokio::test]
    async fn a_clickhouse_that_is_away_is_asked_again() {
        let refusal = migrated_after(2).await.unwrap_err();
        assert!(matches!(refusal, MigrateError::Refused(_)), "{refusal}");
    }

    #[test]
    fn a_file_is_cut_at_semicolons_that_end_a_line() {
        let sql =
            "-- Tables.\nCREATE TABLE a (x String DEFAULT ';a');\n\nCREATE TABLE b\n(y Int8);\n";
        let found: Vec<_> = statements(sql).collect();
        let first = "-- Tables.\nCREATE TABLE a (x String DEFAULT ';a')";
        assert_eq!(found, [first, "CREATE TABLE b\n(y Int8)"]);
    }

    #[test]
    fn a_file_without_a_last_line_end_and_a_comment_alone_are_read() {
        assert_eq!(statements("SELECT 1;").collect::<Vec<_>>(), ["SELECT 1"]);
        assert_eq!(statements("-- nothing\n\n").count(), 0);
    }
}
