//! Why a message cannot be applied. It says which rule was broken and where, never the value.

use std::fmt;

/// The reason of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// The message is not JSON.
    NotJson,
    /// It is JSON, but its frame is not Debezium's.
    NotEnvelope,
    /// A field is not there, or null where it must not be.
    Missing(&'static str),
    /// A field is of another type or form.
    WrongType(&'static str),
    /// A field's value is outside of what its column holds.
    OutOfRange(&'static str),
    /// A field stands there twice.
    Repeated(&'static str),
    /// The row is not of the topic's table.
    UnknownTable,
    /// The operation is none that changes a row.
    UnknownOperation,
    /// A large value did not change and so was not sent, and there is no stored row to take it from.
    Unavailable(&'static str),
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => formatter.write_str("NOT_JSON"),
            Self::NotEnvelope => formatter.write_str("NOT_AN_ENVELOPE"),
            Self::Missing(field) => write!(formatter, "MISSING_FIELD {field}"),
            Self::WrongType(field) => write!(formatter, "WRONG_TYPE {field}"),
            Self::OutOfRange(field) => write!(formatter, "OUT_OF_RANGE {field}"),
            Self::Repeated(field) => write!(formatter, "REPEATED_FIELD {field}"),
            Self::UnknownTable => formatter.write_str("UNKNOWN_TABLE"),
            Self::UnknownOperation => formatter.write_str("UNKNOWN_OPERATION"),
            Self::Unavailable(field) => write!(formatter, "VALUE_UNAVAILABLE {field}"),
        }
    }
}
