//! Everything that can go wrong in this service, and the one place where it becomes a status. The
//! sentences are for callers: they carry no data.

use std::time::Duration;

use bionicpro_mesh::clickhouse::QueryError;
use bionicpro_mesh::request::WrongField;
use bionicpro_mesh::status::{Code, Failure, Reason};
use bionicpro_mesh::telemetry;
use tonic::Status;

use crate::export::ExportId;

/// When to ask again after too many exports: one is usually made in less.
const ONE_IS_MADE: Duration = Duration::from_secs(2);

type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("The account is not connected to a customer: ask support to connect it.")]
    CustomerNotLinked,
    #[error("There is no such customer: check the identifier.")]
    CustomerNotFound,
    #[error(transparent)]
    WrongField(#[from] WrongField),
    #[error("ClickHouse does not answer, or refused a query.")]
    Warehouse(#[from] QueryError),

    #[error("This request_id has exported another report; choose a new one.")]
    RequestIdReused { export_id: ExportId },
    #[error("{0} of your exports are still being made: ask again when one of them is ready.")]
    TooManyExports(i64),
    #[error("There is no such export: list your exports.")]
    ExportNotFound,
    #[error("The link belongs to somebody else's export: open your own exports.")]
    ExportForeign,
    #[error("The link is not one of ours: open your exports and download from there.")]
    LinkInvalid,
    #[error("The link has expired: open your exports and download from there.")]
    LinkExpired,

    #[error("The operational database does not answer.")]
    Operational(#[source] Source),
    #[error("The file store did not take the file: export the report again shortly.")]
    Files(#[from] object_store::Error),
    #[error("The file store did not take the file in time: export the report again shortly.")]
    FilesLate,
    #[error("The file is no longer there: export the report again.")]
    FileLost,
    #[error("A document cannot be written or read.")]
    Document(#[from] serde_json::Error),
    #[error("Making the file broke off.")]
    Panicked,
    #[error("A table cannot be written.")]
    Table(#[from] csv::Error),
    #[error("An export's record has a {0} that this version does not know.")]
    Record(&'static str),
}

impl Error {
    pub(crate) fn operational(source: impl Into<Source>) -> Self {
        Self::Operational(source.into())
    }

    /// The error as a log shows it: with what it came from.
    pub(crate) fn with_sources(&self) -> String {
        telemetry::with_sources(self)
    }

    /// The reason and the sentence that stand in an export that failed by this.
    pub(crate) fn for_the_record(&self) -> (Reason, String) {
        match self {
            Self::Files(_) | Self::FilesLate => (Reason::ExportStoreUnavailable, self.to_string()),
            Self::FileLost => (Reason::ExportFileLost, self.to_string()),
            _ => {
                let sentence = "The file could not be made: report the time of this export.";
                (failure(self).reason(), sentence.to_owned())
            }
        }
    }
}

impl From<clickhouse::error::Error> for Error {
    fn from(error: clickhouse::error::Error) -> Self {
        Self::Warehouse(error.into())
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        failure(&error).logged(&error).into()
    }
}

fn failure(error: &Error) -> Failure {
    let refuse = |code, reason| Failure::new(code, reason, error.to_string());
    match error {
        Error::CustomerNotLinked => refuse(Code::FailedPrecondition, Reason::CustomerNotLinked),
        Error::CustomerNotFound => refuse(Code::NotFound, Reason::CustomerNotFound),
        Error::WrongField(wrong) => (*wrong).into(),
        Error::Warehouse(query) => query.into(),
        Error::RequestIdReused { export_id } => {
            refuse(Code::AlreadyExists, Reason::RequestIdReused)
                .metadata("export_id", export_id.0.to_string())
        }
        Error::TooManyExports(_) => {
            refuse(Code::ResourceExhausted, Reason::TooManyExports).retry_after(ONE_IS_MADE)
        }
        Error::ExportNotFound => refuse(Code::NotFound, Reason::ExportNotFound),
        Error::ExportForeign => refuse(Code::PermissionDenied, Reason::ExportForeign),
        Error::LinkInvalid => refuse(Code::PermissionDenied, Reason::ExportLinkInvalid),
        Error::LinkExpired => refuse(Code::FailedPrecondition, Reason::ExportLinkExpired),
        Error::Operational(_) => Failure::unavailable("operational-database"),
        Error::Files(_) | Error::FilesLate => Failure::unavailable("file-store"),
        Error::FileLost => refuse(Code::NotFound, Reason::ExportFileLost),
        Error::Document(_) | Error::Table(_) | Error::Record(_) | Error::Panicked => {
            Failure::internal()
        }
    }
}
