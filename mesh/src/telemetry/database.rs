//! The spans of calls to databases that speak no trace context themselves (semantic conventions
//! for databases). They hold what is done, never with which key or value.

use tracing::Span;
use tracing::field::Empty;

/// The span of a command, `HMGET`, or of several at once, `MULTI`. Outside of a trace there is
/// none: a readiness probe comes every second and would bury everything else.
#[must_use]
pub fn redis(operation: &str) -> Span {
    if Span::current().is_none() {
        return Span::none();
    }
    tracing::info_span!(
        "redis",
        otel.name = operation,
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = "redis",
        db.operation.name = operation,
        error.type = Empty,
    )
}

/// Notes what a call failed with: a kind of error, not its text.
pub fn failed(span: &Span, kind: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", kind);
}
