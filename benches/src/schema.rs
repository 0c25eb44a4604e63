//! A schema of the benchmarks' own in one of the stack's Postgres databases. Whoever comes with its
//! address finds the tables there by their usual names.

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};
use url::Url;

const NAME: &str = "bionicpro_bench";

/// The schema; dropped in the end.
pub(crate) struct Schema {
    owner: &'static Url,
    client: Client,
    runtime: Runtime,
}

impl Schema {
    /// Makes it anew in the database of this owner.
    pub(crate) fn create(owner: &'static Url) -> anyhow::Result<Self> {
        let runtime = Runtime::new()?;
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(owner.as_str(), NoTls).await?;
            tokio::spawn(connection);
            anyhow::Ok(client)
        })?;
        let schema = Self {
            owner,
            client,
            runtime,
        };
        schema.execute(&format!(
            "SET TIME ZONE 'UTC';
             SET search_path = {NAME};
             DROP SCHEMA IF EXISTS {NAME} CASCADE;
             CREATE SCHEMA {NAME}"
        ))?;
        Ok(schema)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        NAME
    }

    /// Its address, as the owner of the database.
    pub(crate) fn url(&self) -> anyhow::Result<String> {
        self.seen_by(self.owner.as_str())
    }

    /// Its address for a login to the same database.
    pub(crate) fn seen_by(&self, login: &str) -> anyhow::Result<String> {
        let mut url = Url::parse(login).context("the address of a database")?;
        url.query_pairs_mut()
            .append_pair("options", &format!("-csearch_path={NAME}"));
        Ok(url.to_string())
    }

    /// Runs statements.
    pub(crate) fn execute(&self, statements: &str) -> anyhow::Result<()> {
        let done = self.client.batch_execute(statements);
        self.runtime
            .block_on(done)
            .with_context(|| statements.to_owned())
    }

    /// The texts of a query's first column.
    pub(crate) fn texts(&self, query: &str) -> anyhow::Result<Vec<String>> {
        let rows = self.runtime.block_on(self.client.query(query, &[]))?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // What is left is dropped by the next run.
        let _ = self.execute(&format!("DROP SCHEMA IF EXISTS {NAME} CASCADE"));
    }
}
