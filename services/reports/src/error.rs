//! Everything that can go wrong in this service, and the one place where it becomes a status. The
//! sentences are for callers: they carry no data.

use bionicpro_mesh::status::{Code, Failure, Reason};
use clickhouse::error::Error as ClickHouseError;
use tonic::Status;

use crate::period::InvalidPeriod;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("The account is not connected to a customer: ask support to connect it.")]
    CustomerNotLinked,
    #[error("There is no such customer: check the identifier.")]
    CustomerNotFound,
    #[error("{}", .0.problem)]
    InvalidPeriod(#[from] InvalidPeriod),
    #[error("The identifier is not a UUID.")]
    InvalidId { field: &'static str },
    #[error("The page token is not one that this list has made for these parameters.")]
    PageTokenInvalid,
    #[error("ClickHouse does not answer, or refused a query.")]
    Warehouse(#[from] ClickHouseError),
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        failure(&error).into()
    }
}

fn failure(error: &Error) -> Failure {
    let refuse = |code, reason| Failure::new(code, reason, error.to_string());
    match error {
        Error::CustomerNotLinked => refuse(Code::FailedPrecondition, Reason::CustomerNotLinked),
        Error::CustomerNotFound => refuse(Code::NotFound, Reason::CustomerNotFound),
        Error::InvalidPeriod(period) => {
            refuse(Code::InvalidArgument, Reason::PeriodInvalid).field(period.field, period.problem)
        }
        Error::InvalidId { field } => {
            refuse(Code::InvalidArgument, Reason::InvalidField).field(field, &error.to_string())
        }
        Error::PageTokenInvalid => refuse(Code::InvalidArgument, Reason::PageTokenInvalid)
            .field("page_token", &error.to_string()),
        Error::Warehouse(cause) => warehouse(cause),
    }
}

/// An answer that cannot be read is our own fault; everything else is ClickHouse being away, or
/// its tables not being there yet.
fn warehouse(error: &ClickHouseError) -> Failure {
    match error {
        ClickHouseError::Network(cause) => {
            tracing::warn!(%cause, "ClickHouse does not answer");
            Failure::unavailable("clickhouse")
        }
        ClickHouseError::TimedOut => {
            tracing::warn!("ClickHouse does not answer in time");
            Failure::unavailable("clickhouse")
        }
        // Behind the code, the text repeats the query with the values of its parameters.
        ClickHouseError::BadResponse(text) => {
            let code = text.split('.').next().unwrap_or_default();
            tracing::warn!(code, "ClickHouse refuses a query");
            Failure::unavailable("clickhouse")
        }
        cause => {
            tracing::error!(%cause, "ClickHouse's answer cannot be read");
            Failure::internal()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_is_away_is_said_with_a_retry() {
        let status = Status::from(Error::Warehouse(ClickHouseError::TimedOut));
        assert_eq!(status.code(), Code::Unavailable);
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_our_own_fault() {
        let status = Status::from(Error::Warehouse(ClickHouseError::NotEnoughData));
        assert_eq!(status.code(), Code::Internal);
    }

    #[test]
    fn a_missing_table_is_a_part_that_is_not_there_yet() {
        let answer = "Code: 60. DB::Exception: Unknown table".to_owned();
        let status = Status::from(Error::Warehouse(ClickHouseError::BadResponse(answer)));
        assert_eq!(status.code(), Code::Unavailable);
    }
}
