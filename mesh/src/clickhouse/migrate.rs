//! Brings a service's tables up to date. What was applied stands in `schema_migrations`.
//! ClickHouse has no transactions over definitions, so a migration that stopped half-way runs
//! again: its statements must bear that (`IF NOT EXISTS`).

use clickhouse::Client;
use clickhouse::error::Error;

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
/// that owns the tables.
///
/// # Errors
/// A statement fails, or an applied migration was changed.
pub async fn migrate(
    client: &Client,
    owner: &str,
    migrations: &[Migration],
) -> Result<(), MigrateError> {
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
    use super::*;

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
