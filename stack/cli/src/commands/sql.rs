//! `cargo stack sql DATABASE [STATEMENT]`.

use std::{io::IsTerminal, process::ExitCode};

use anyhow::{Context, Result, bail};

use crate::{
    http,
    parts::{Site, postgres},
};

pub(super) fn run(site: &Site, database: &str, statement: Option<&str>) -> Result<ExitCode> {
    if database == "clickhouse" {
        return clickhouse(site, statement);
    }
    if site.topology.postgres.database(database).is_none() {
        bail!(
            "there is no database {database:?}; there are crm, telemetry, bionicpro, keycloak and clickhouse"
        );
    }
    let mut psql = postgres::psql(&site.topology, database);
    if let Some(statement) = statement {
        psql.args(["--command", statement]);
    }
    let status = psql
        .status()
        .context("psql could not be started: run `cargo stack up` first")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn clickhouse(site: &Site, statement: Option<&str>) -> Result<ExitCode> {
    let statement =
        statement.context("say what to ask ClickHouse: cargo stack sql clickhouse 'select …'")?;
    let clickhouse = &site.topology.clickhouse;
    let format = if std::io::stdout().is_terminal() {
        "PrettyCompact"
    } else {
        "TabSeparated"
    };
    let url = format!(
        "{}/?database={}&default_format={format}",
        clickhouse.url, clickhouse.database
    );
    print!("{}", http::clickhouse(&url, None, statement)?);
    Ok(ExitCode::SUCCESS)
}
