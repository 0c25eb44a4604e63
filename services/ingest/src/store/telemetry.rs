//! The readings at their source, the telemetry Postgres, which this service only reads.

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use futures::{Stream, StreamExt};
use std::pin::Pin;
use tokio_postgres::{Client, CopyOutStream, NoTls};
use tokio_util::task::AbortOnDropHandle;

use crate::daily_load::transcode::COLUMNS;
use crate::days::{end_of, start_of};
use crate::error::Error;

/// Where readings come from.
pub(crate) struct TelemetrySource {
    database: tokio_postgres::Config,
}

/// The readings of a day on their way, as frames of a binary COPY.
pub(crate) struct DayReadings {
    /// When reading them began, by the source's clock: what was there then is among them.
    pub(crate) began: DateTime<Utc>,
    /// Whether the source has a partition for the day: where it has none, nobody knows which
    /// readings there were.
    pub(crate) source_has_day: bool,
    frames: Pin<Box<CopyOutStream>>,
    _session: Session,
}

/// A connection that ends with this value, and the query on it with the connection.
struct Session {
    client: Client,
    _connection: AbortOnDropHandle<()>,
}

impl TelemetrySource {
    pub(crate) fn new(database: tokio_postgres::Config) -> Self {
        Self { database }
    }

    /// Begins to read the readings recorded on `day`, in no order.
    pub(crate) async fn read(&self, day: NaiveDate) -> Result<DayReadings, Error> {
        let session = self.connect().await?;
        // COPY takes no parameters; both texts are made from dates.
        let copy = format!(
            "COPY (SELECT {COLUMNS} FROM readings \
             WHERE recorded_at >= '{}' AND recorded_at < '{}') TO STDOUT (FORMAT binary)",
            start_of(day).to_rfc3339(),
            end_of(day).to_rfc3339(),
        );
        // Nobody drops a partition while the table is locked like that, so the place and the readings
        // are those of one moment.
        session
            .client
            .batch_execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
                 LOCK TABLE ONLY readings IN ACCESS SHARE MODE",
            )
            .await
            .map_err(Error::telemetry)?;
        let now = session
            .client
            .query_one(
                include_str!("source_day.sql"),
                &[&start_of(day), &end_of(day)],
            )
            .await
            .map_err(Error::telemetry)?;
        let frames = session
            .client
            .copy_out(&copy)
            .await
            .map_err(Error::telemetry)?;
        Ok(DayReadings {
            began: now.try_get(0).map_err(Error::telemetry)?,
            source_has_day: now.try_get(1).map_err(Error::telemetry)?,
            frames: Box::pin(frames),
            _session: session,
        })
    }

    async fn connect(&self) -> Result<Session, Error> {
        let (client, connection) = self
            .database
            .connect(NoTls)
            .await
            .map_err(Error::telemetry)?;
        let connection = tokio::spawn(async move {
            // What breaks the connection also fails the call that waits on it.
            let _ = connection.await;
        });
        Ok(Session {
            client,
            _connection: AbortOnDropHandle::new(connection),
        })
    }
}

impl DayReadings {
    /// The frames; see [`crate::daily_load::transcode`].
    pub(crate) fn frames(&mut self) -> impl Stream<Item = Result<Bytes, Error>> + Unpin {
        self.frames
            .by_ref()
            .map(|frame| frame.map_err(Error::telemetry))
    }
}
