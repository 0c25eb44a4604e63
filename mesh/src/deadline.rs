//! How long a call may take: `min(what the caller asks or the method's default, its maximum)`.
//! At the deadline the caller gets `DEADLINE_EXCEEDED` and the handler, or its stream, is dropped;
//! calls that a handler makes get what is left.

mod body;
mod budget;
pub(crate) mod layer;

pub use body::DeadlineBody;
pub use budget::remaining;
pub(crate) use budget::{current, format_timeout, parse_timeout};
pub use layer::budget;

use http::{HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::status::{Code, Failure, Reason};

/// The header that carries a call's time-out.
pub(crate) const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The header that tells the other side how much time is left.
#[must_use]
pub fn timeout_header(deadline: Instant) -> Option<(HeaderName, HeaderValue)> {
    let left = deadline.saturating_duration_since(Instant::now());
    let mut value = HeaderValue::try_from(format_timeout(left)).ok()?;
    // No secret, but another one with every call: HPACK would put each into its table and push out
    // what repeats.
    value.set_sensitive(true);
    Some((GRPC_TIMEOUT, value))
}

/// What a caller is told at the deadline.
#[must_use]
pub fn exceeded() -> Failure {
    let message = "The call did not end in time: ask for less, or with a longer deadline.";
    Failure::new(Code::DeadlineExceeded, Reason::DeadlineExceeded, message)
}
