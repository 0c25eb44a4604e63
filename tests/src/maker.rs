//! A reports service of a test's own, which makes exports in the place of the stack's.

use std::process::{Child, Command, Stdio};

use anyhow::Context;
use bionicpro_proto::reports::v1::Export;
use uuid::Uuid;

use crate::Topology;

/// A reports service that is killed (SIGKILL) when it is dropped.
pub struct Maker(Child);

impl Maker {
    /// Starts one at the address of the stack's own, which has to be away, with further arguments.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn start(stack: &Topology, arguments: &[&str]) -> anyhow::Result<Self> {
        let listen = stack.reports.url.socket_addrs(|| None)?;
        let listen = listen.first().context("reports has no address")?;
        let (clickhouse, s3) = (&stack.clickhouse, &stack.s3);
        let child = Command::new(stack.directories.binaries.join("bionicpro-reports"))
            .arg("serve")
            .args(arguments)
            .arg("--environment=development")
            .arg(format!("--listen={listen}"))
            .arg(format!("--issuer={}", stack.keycloak.issuer))
            .arg(format!("--clickhouse-url={}", clickhouse.url))
            .arg(format!("--clickhouse-database={}", clickhouse.database))
            .arg(format!("--clickhouse-user={}", clickhouse.reports.user))
            .arg(format!("--s3-url={}", s3.url))
            .arg(format!("--s3-bucket={}", s3.bucket))
            .arg(format!("--s3-access-key={}", s3.access_key))
            .env(
                "BIONICPRO_CLICKHOUSE_PASSWORD",
                &clickhouse.reports.password,
            )
            .env("BIONICPRO_S3_SECRET_KEY", &s3.secret_key)
            .env("BIONICPRO_EXPORT_KEYS", &stack.reports.export_keys)
            .env(
                "BIONICPRO_OPERATIONAL_DATABASE_URL",
                stack.postgres.databases.bionicpro.url.as_str(),
            )
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("bionicpro-reports is not built")?;
        Ok(Self(child))
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether somebody works on an export that is not made: its row is locked.
///
/// # Errors
/// When Postgres refuses.
pub async fn is_worked_on(stack: &Topology, export: &Export) -> anyhow::Result<bool> {
    let url = stack.postgres.databases.bionicpro.url.as_str();
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let id: Uuid = export.export_id.parse()?;
    let free = "SELECT FROM exports WHERE export_id = $1 FOR NO KEY UPDATE SKIP LOCKED";
    let there = "SELECT FROM exports WHERE export_id = $1 AND state = 'PENDING'";
    Ok(client.query(there, &[&id]).await?.len() == 1
        && client.query(free, &[&id]).await?.is_empty())
}
