//! Everything that can go wrong in a call, and what the caller is told.

use bionicpro_mesh::status::Failure;
use rdkafka::error::KafkaError;
use tokio::task::JoinError;
use tonic::Status;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Kafka does not answer.
    #[error("kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// ClickHouse does not answer.
    #[error("clickhouse: {0}")]
    ClickHouse(#[from] clickhouse::error::Error),
    /// Our own code panicked.
    #[error("internal: {0}")]
    Panicked(#[from] JoinError),
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        tracing::warn!(%error, "a call failed");
        match error {
            Error::Kafka(_) => Failure::unavailable("kafka"),
            Error::ClickHouse(_) => Failure::unavailable("clickhouse"),
            Error::Panicked(_) => Failure::internal(),
        }
        .into()
    }
}
