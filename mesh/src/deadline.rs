//! How long a call may take: `min(what the caller asks or the method's default, its maximum)`.
//! At the deadline the caller gets `DEADLINE_EXCEEDED` and the handler, or its stream, is dropped;
//! calls that a handler makes get what is left.

mod body;
mod budget;
pub(crate) mod layer;

pub(crate) use body::DeadlineBody;
pub use budget::remaining;
pub(crate) use budget::{current, format_timeout, parse_timeout};

use crate::status::{Code, Failure, Reason};

/// The header that carries a call's time-out.
pub(crate) const GRPC_TIMEOUT: &str = "grpc-timeout";

/// What a caller is told at the deadline.
pub(crate) fn exceeded() -> Failure {
    let message = "The call did not end in time: ask for less, or with a longer deadline.";
    Failure::new(Code::DeadlineExceeded, Reason::DeadlineExceeded, message)
}
