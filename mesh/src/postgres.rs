//! How services reach Postgres: one pool in which nobody waits for long, and migrations. What they
//! ask is their own.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use futures::future::BoxFuture;
use refinery::Runner;
use secrecy::ExposeSecret as _;
use tokio_postgres::{Config, NoTls};

use crate::config::{Fields, Invalid};

const CONNECTIONS: usize = 8;
/// How long to wait for a connection: for a free one, a new one, or one that is looked over.
const WAIT: Duration = Duration::from_secs(3);

/// A database, by a pool of connections. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
}

/// A database does not answer, or refused what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no connection to be had.
    #[error("Postgres cannot be reached.")]
    Unreachable(#[from] deadpool_postgres::PoolError),
    /// A statement failed.
    #[error("Postgres refused a statement, or broke off.")]
    Statement(#[from] tokio_postgres::Error),
    /// The tables could not be brought up to date.
    #[error("The tables of Postgres could not be migrated.")]
    Migration(#[from] refinery::Error),
    /// The pool could not be made.
    #[error("No pool of connections could be made.")]
    Pool(#[from] deadpool_postgres::BuildError),
}

/// Reads the address of a database, a secret: it holds a password, so what is wrong with it is not
/// repeated.
///
/// # Errors
/// It is missing, or no address of a Postgres database.
pub fn address(fields: &Fields, name: &'static str) -> Result<Config, Invalid> {
    let url = fields.secret(name)?;
    url.expose_secret()
        .parse()
        .map_err(|_| fields.invalid(name, "is not the address of a Postgres database"))
}

impl Database {
    /// A pool that connects when it is first used.
    ///
    /// # Errors
    /// The pool cannot be made.
    pub fn new(address: Config) -> Result<Self, Error> {
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Verified,
        };
        let pool = Pool::builder(Manager::from_config(address, NoTls, recycling))
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(WAIT))
            .recycle_timeout(Some(WAIT))
            .build()?;
        Ok(Self { pool })
    }

    /// A connection; it goes back to the pool when it is dropped.
    ///
    /// # Errors
    /// There is none within the wait.
    pub async fn connection(&self) -> Result<Object, Error> {
        Ok(self.pool.get().await?)
    }

    /// Brings tables to the state that a version needs.
    ///
    /// # Errors
    /// A migration failed, or one that has landed was changed.
    pub async fn migrate(&self, migrations: &Runner) -> Result<(), Error> {
        let mut connection = self.connection().await?;
        migrations.run_async(&mut **connection.as_mut()).await?;
        Ok(())
    }

    /// Asks whether `probe`, a query that finds something or nothing, can be answered.
    pub fn readiness(
        &self,
        probe: &'static str,
    ) -> impl Fn() -> BoxFuture<'static, Result<(), Error>> + Send + Sync + 'static {
        let database = self.clone();
        move || {
            let database = database.clone();
            Box::pin(async move {
                database.connection().await?.query_opt(probe, &[]).await?;
                Ok(())
            })
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(address_given: &str) -> Result<Config, Vec<String>> {
        let arguments = [format!("--database-url={address_given}")];
        Fields::new(arguments.into_iter(), |_| None).read(|fields| address(fields, "database-url"))
    }

    #[test]
    fn an_address_is_read() {
        let config = read("postgres://somebody:hidden@127.0.0.1:5432/things").unwrap();
        assert_eq!(config.get_dbname(), Some("things"));
    }

    #[test]
    fn what_is_wrong_with_an_address_does_not_repeat_its_password() {
        let problems = read("postgres://somebody:hidden@[/things").unwrap_err();
        assert_eq!(
            problems,
            ["--database-url (BIONICPRO_DATABASE_URL): is not the address of a Postgres database"]
        );
    }

    #[tokio::test]
    async fn a_database_that_is_away_is_said_by_its_readiness() {
        let nowhere = "postgres://nobody@127.0.0.1:1/none".parse().unwrap();
        let ready = Database::new(nowhere).unwrap().readiness("SELECT 1");
        assert!(matches!(ready().await, Err(Error::Unreachable(_))));
    }
}
