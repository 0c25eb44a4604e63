//! What a query that failed means to a caller, and what a log may say of it.

use clickhouse::error::Error;

use crate::status::Failure;

/// A query failed. Shown, it does not repeat the query, whose parameters are data.
#[derive(Debug, thiserror::Error)]
#[error("{}", shown(.0))]
pub struct QueryError(Error);

impl From<Error> for QueryError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

fn shown(error: &Error) -> String {
    match error {
        // Behind the code, ClickHouse's text repeats the query.
        Error::BadResponse(text) => text.split('.').next().unwrap_or_default().to_owned(),
        other => other.to_string(),
    }
}

impl From<&QueryError> for Failure {
    /// An answer that cannot be read is our own fault; everything else is ClickHouse being away,
    /// or its tables not being there yet.
    fn from(QueryError(error): &QueryError) -> Self {
        match error {
            Error::Network(_) | Error::TimedOut | Error::BadResponse(_) => {
                Self::unavailable("clickhouse")
            }
            _ => Self::internal(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Reason;

    fn reason(error: Error) -> Reason {
        Failure::from(&QueryError(error)).reason()
    }

    #[test]
    fn a_part_that_is_away_is_said_with_a_retry() {
        assert_eq!(reason(Error::TimedOut), Reason::DependencyUnavailable);
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_our_own_fault() {
        assert_eq!(reason(Error::NotEnoughData), Reason::Internal);
    }

    #[test]
    fn a_refusal_does_not_show_the_query() {
        let answer =
            "Code: 60. DB::Exception: Unknown table, in WHERE customer_id = '7'".to_owned();
        let error = QueryError(Error::BadResponse(answer.clone()));
        assert_eq!(error.to_string(), "Code: 60");
        assert_eq!(
            reason(Error::BadResponse(answer)),
            Reason::DependencyUnavailable
        );
    }
}
