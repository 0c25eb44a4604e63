//! The CRM at both ends of the road: its own Postgres, which the suites change
//! as its people would, and the views that our services read.

use std::collections::BTreeSet;

use anyhow::Context;
use serde::de::DeserializeOwned;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::Topology;

/// A row as text, in the order of the table's columns.
pub type Row = Vec<Option<String>>;

/// A table that is followed.
pub struct Table {
    /// Its name in the CRM; the view's has `crm_` before it.
    pub name: &'static str,
    columns: &'static [&'static str],
    instants: &'static [&'static str],
}

/// All of them.
pub const TABLES: [Table; 4] = [
    Table {
        name: "customers",
        columns: &[
            "id",
            "full_name",
            "email",
            "phone",
            "country",
            "locale",
            "time_zone",
            "status",
        ],
        instants: &["created_at", "updated_at"],
    },
    Table {
        name: "prostheses",
        columns: &[
            "id",
            "serial_number",
            "model",
            "side",
            "firmware",
            "manufactured_on",
        ],
        instants: &[],
    },
    Table {
        name: "assignments",
        columns: &["id", "prosthesis_id", "customer_id"],
        instants: &["valid_from", "valid_to"],
    },
    Table {
        name: "service_visits",
        columns: &["id", "prosthesis_id", "kind", "notes", "cost"],
        instants: &["visited_at"],
    },
];

/// Signs in to the CRM as its owner.
///
/// # Errors
/// When Postgres does not answer.
pub async fn connect(stack: &Topology) -> anyhow::Result<tokio_postgres::Client> {
    let url = stack.postgres.databases.crm.url.as_str();
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The rows of a table.
///
/// # Errors
/// When Postgres refuses.
pub async fn rows(crm: &tokio_postgres::Client, table: &Table) -> anyhow::Result<BTreeSet<Row>> {
    let instant =
        |name: &&str| format!("to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')");
    let columns = table.columns.iter().map(|name| format!("{name}::text"));
    let columns: Vec<String> = columns.chain(table.instants.iter().map(instant)).collect();
    let query = format!("SELECT {} FROM {}", columns.join(", "), table.name);
    let answer = crm.simple_query(&query).await?;
    let rows = answer.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(
            (0..row.len())
                .map(|column| row.get(column).map(str::to_owned))
                .collect(),
        ),
        _ => None,
    });
    Ok(rows.collect())
}

/// The rows of the view of a table in a database of ClickHouse.
///
/// # Errors
/// When ClickHouse refuses.
pub async fn view_rows(
    stack: &Topology,
    database: &str,
    table: &Table,
) -> anyhow::Result<BTreeSet<Row>> {
    let column = |name: &&str| match *name {
        "cost" => "toDecimalString(cost, 2)".to_owned(),
        name => format!("toString({name})"),
    };
    let columns: Vec<String> = table
        .columns
        .iter()
        .chain(table.instants)
        .map(column)
        .collect();
    let query = format!(
        "SELECT {} FROM {database}.crm_{}",
        columns.join(", "),
        table.name
    );
    let rows: Vec<Row> = query_clickhouse(stack, &query).await?;
    // A set would hide a row that is there twice.
    let count = rows.len();
    let rows: BTreeSet<Row> = rows.into_iter().collect();
    anyhow::ensure!(
        rows.len() == count,
        "{} of {count} rows are there twice",
        count - rows.len()
    );
    Ok(rows)
}

/// Whether every view of a database equals its table, row for row.
///
/// # Errors
/// When a store refuses.
pub async fn views_equal_tables(
    stack: &Topology,
    database: &str,
    crm: &tokio_postgres::Client,
) -> anyhow::Result<bool> {
    for table in &TABLES {
        if rows(crm, table).await? != view_rows(stack, database, table).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Runs a query on ClickHouse and reads its rows, each an array.
///
/// # Errors
/// When ClickHouse refuses.
pub async fn query_clickhouse<T: DeserializeOwned>(
    stack: &Topology,
    query: &str,
) -> anyhow::Result<Vec<T>> {
    let text = post_to_clickhouse(stack, format!("{query} FORMAT JSONCompactEachRow")).await?;
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("{query}: {line}")))
        .collect()
}

/// Runs a statement on ClickHouse that answers nothing.
///
/// # Errors
/// When ClickHouse refuses.
pub async fn change_clickhouse(stack: &Topology, statement: &str) -> anyhow::Result<()> {
    post_to_clickhouse(stack, statement.to_owned()).await?;
    Ok(())
}

async fn post_to_clickhouse(stack: &Topology, statement: String) -> anyhow::Result<String> {
    let answer = crate::http()
        .post(stack.clickhouse.url.clone())
        .body(statement.clone())
        .send()
        .await?;
    let succeeded = answer.status().is_success();
    let text = answer.text().await?;
    anyhow::ensure!(succeeded, "{statement}: {text}");
    Ok(text)
}
