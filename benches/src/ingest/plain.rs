//! The baselines: the shortest ways of a day into ClickHouse.

use std::time::Duration;

use anyhow::{Context, ensure};
use bionicpro_tests::stack;
use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use http::Request;
use http::header::HOST;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_postgres::NoTls;
use url::Url;

use super::world::{PLAIN_READINGS, World};

/// The columns as both sides have them.
const COLUMNS: &str = "id, prosthesis_id, recorded_at, received_at, grip, duration_ms, response_ms, \
     force_mn, battery_pct, emg_quality_pct, fault_code";
/// The same as ClickHouse reads text: times of UTC that do not say so.
const COPIED: &str = "id, prosthesis_id, recorded_at AT TIME ZONE 'UTC', \
     received_at AT TIME ZONE 'UTC', grip, duration_ms, response_ms, force_mn, battery_pct, \
     emg_quality_pct, fault_code";
/// How long the pipe may take.
const LIMIT: Duration = Duration::from_secs(300);

/// Which one.
#[derive(Clone, Copy)]
pub(super) enum Plain {
    /// `COPY` as text, piped into an HTTP insert.
    Copy,
    /// ClickHouse reads Postgres itself.
    Function,
}

impl Plain {
    /// Loads the readings, and makes the mart of them.
    pub(super) fn load(self, world: &World) -> anyhow::Result<()> {
        match self {
            Self::Copy => {
                let runtime = Runtime::new()?;
                let piped =
                    runtime.block_on(async { tokio::time::timeout(LIMIT, pipe(world)).await });
                piped.context("the pipe stands still")??;
            }
            Self::Function => world.warehouse.execute(&function(world)?)?,
        }
        world.warehouse.execute(include_str!("mart.sql"))
    }
}

fn function(world: &World) -> anyhow::Result<String> {
    let url = Url::parse(&stack().postgres.telemetry_reader_url)?;
    let host = url.host_str().context("Postgres has no host")?;
    let port = url.port().unwrap_or(5432);
    let (user, password) = (url.username(), url.password().unwrap_or_default());
    let (database, schema) = (url.path().trim_start_matches('/'), world.source.name());
    Ok(format!(
        "INSERT INTO {{database}}.{PLAIN_READINGS} ({COLUMNS}) \
         SELECT {} FROM postgresql('{host}:{port}', '{database}', 'readings', '{user}', '{password}', '{schema}')",
        COLUMNS.replace("fault_code", "ifNull(fault_code, '')"),
    ))
}

/// What `psql -c 'COPY …' | curl` does, without the two processes.
async fn pipe(world: &World) -> anyhow::Result<()> {
    let source = world
        .source
        .seen_by(&stack().postgres.telemetry_reader_url)?;
    let (client, connection) = tokio_postgres::connect(&source, NoTls).await?;
    let connection = tokio::spawn(connection);
    let copy = format!("COPY (SELECT {COPIED} FROM readings) TO STDOUT");
    let rows = client.copy_out(&copy).await?;
    insert(world.warehouse.database, rows).await?;
    drop(client);
    Ok(connection.await??)
}

/// Sends rows of tab-separated text.
async fn insert(
    database: &str,
    rows: impl Stream<Item = Result<Bytes, tokio_postgres::Error>> + Send + 'static,
) -> anyhow::Result<()> {
    let mut url = stack().clickhouse.url.clone();
    let insert = format!("INSERT INTO {database}.{PLAIN_READINGS} ({COLUMNS}) FORMAT TSV");
    url.query_pairs_mut().append_pair("query", &insert);
    let address = url.socket_addrs(|| None)?;
    let stream = TcpStream::connect(&address[..]).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::post(format!(
        "{}?{}",
        url.path(),
        url.query().unwrap_or_default()
    ))
    .header(HOST, url.authority())
    .body(StreamBody::new(rows.map_ok(Frame::data)))?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let text = answer.into_body().collect().await?.to_bytes();
    ensure!(
        status.is_success(),
        "{status}: {}",
        String::from_utf8_lossy(&text)
    );
    drop(sender);
    Ok(connection.await??)
}
