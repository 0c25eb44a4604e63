//! Everything that can go wrong in this service, and the one place where it becomes a status. The
//! sentences are for callers and for a run's record: they carry no data.

use bionicpro_mesh::clickhouse::QueryError;
use bionicpro_mesh::kafka::Unacknowledged;
use bionicpro_mesh::request::WrongField;
use bionicpro_mesh::status::{Code, Failure, Reason};
use bionicpro_mesh::telemetry;
use chrono::{DateTime, Utc};
use tonic::Status;

use crate::daily_load::transcode::Malformed;
use crate::run::RunId;

type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    WrongField(#[from] WrongField),
    #[error("There is no such run.")]
    RunNotFound,
    #[error("Another run that has not finished covers one of the days; wait until it has.")]
    RunConflict { run_id: RunId },
    #[error("This request_id has started a run over other days; choose a new one.")]
    RequestIdReused { run_id: RunId },

    #[error("The call brought no readings: send at least one message with at least one reading.")]
    NoReadings,

    #[error("The service is being stopped: send all readings of the stream again.")]
    Stopping,
    #[error("Kafka has not acknowledged all readings: send all of them again.")]
    Kafka(#[source] Source),
    #[error("The operational database does not answer.")]
    Operational(#[source] Source),
    #[error("The telemetry database does not answer.")]
    Telemetry(#[source] Source),
    #[error("ClickHouse does not answer, or refused a query.")]
    Warehouse(#[from] QueryError),

    #[error(
        "The CRM's changes are in ClickHouse up to {}, and the run needs those up to its beginning, \
         {began}: ask CdcService.GetStatus why they do not come.",
        .watermark.map_or_else(|| "no time at all".to_owned(), |time| time.to_string())
    )]
    CrmBehind {
        watermark: Option<DateTime<Utc>>,
        began: DateTime<Utc>,
    },
    #[error("The source sent a reading that cannot be read: {0}.")]
    Malformed(#[from] Malformed),
    #[error(
        "Readings are unaccounted for: {read} read, {loaded} loaded, {sent} sent by devices, \
         {repeated} of them both, {staged} in the mart, {unassigned} of nobody."
    )]
    ReadingsUnaccounted {
        read: u64,
        loaded: u64,
        sent: u64,
        repeated: u64,
        staged: u64,
        unassigned: u64,
    },
    #[error(
        "The telemetry database has no place for readings of this day any more, fewer are kept \
         here than the {held} in the mart, and so the day stays as it is. Bring its partition back, \
         or leave the day alone."
    )]
    ReadingsGone { held: u64 },
    #[error("The process lost its lock on the run.")]
    LeaseLost(#[source] tokio_postgres::Error),
    #[error("What the run left behind could not be cleaned up in time.")]
    StillClosing,
    #[error("A run's record has a {0} that this version does not know.")]
    Record(&'static str),
}

impl Error {
    pub(crate) fn operational(source: impl Into<Source>) -> Self {
        Self::Operational(source.into())
    }

    pub(crate) fn kafka(source: impl Into<Source>) -> Self {
        Self::Kafka(source.into())
    }

    pub(crate) fn telemetry(source: impl Into<Source>) -> Self {
        Self::Telemetry(source.into())
    }

    /// Why, for programs.
    pub(crate) fn reason(&self) -> Reason {
        failure(self).reason()
    }

    /// The error as a log shows it: with what it came from.
    pub(crate) fn with_sources(&self) -> String {
        telemetry::with_sources(self)
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        failure(&error).logged(&error).into()
    }
}

impl From<Unacknowledged> for Error {
    fn from(error: Unacknowledged) -> Self {
        Self::kafka(error)
    }
}

impl From<clickhouse::error::Error> for Error {
    fn from(error: clickhouse::error::Error) -> Self {
        Self::Warehouse(error.into())
    }
}

fn failure(error: &Error) -> Failure {
    let refuse = |code, reason| Failure::new(code, reason, error.to_string());
    match error {
        Error::WrongField(wrong) => (*wrong).into(),
        Error::NoReadings => {
            refuse(Code::InvalidArgument, Reason::InvalidField).field("readings", "There is none.")
        }
        Error::Kafka(_) => Failure::unavailable("kafka"),
        Error::Stopping => Failure::unavailable("ingest"),
        Error::RunNotFound => refuse(Code::NotFound, Reason::RunNotFound),
        Error::RunConflict { run_id } => refuse(Code::FailedPrecondition, Reason::RunConflict)
            .metadata("run_id", run_id.to_string()),
        Error::RequestIdReused { run_id } => refuse(Code::AlreadyExists, Reason::RequestIdReused)
            .metadata("run_id", run_id.to_string()),
        Error::ReadingsGone { .. } => refuse(Code::FailedPrecondition, Reason::ReadingsGone),
        Error::CrmBehind { .. } => refuse(Code::Unavailable, Reason::CrmBehind),
        Error::Operational(_) => Failure::unavailable("operational-database"),
        Error::Telemetry(_) => Failure::unavailable("telemetry-database"),
        Error::Warehouse(query) => query.into(),
        Error::Malformed(_)
        | Error::ReadingsUnaccounted { .. }
        | Error::LeaseLost(_)
        | Error::StillClosing
        | Error::Record(_) => Failure::internal(),
    }
}
