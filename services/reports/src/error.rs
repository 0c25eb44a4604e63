//! Everything that can go wrong in this service, and the one place where it becomes a status. The
//! sentences are for callers: they carry no data.

use bionicpro_mesh::clickhouse::QueryError;
use bionicpro_mesh::request::WrongField;
use bionicpro_mesh::status::{Code, Failure, Reason};
use tonic::Status;

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
    }
}
