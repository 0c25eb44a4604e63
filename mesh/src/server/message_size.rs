//! The layer that says with a reason that a message is too large: tonic refuses it while it reads,
//! before any handler of ours could.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use http::Response;
use tonic::Status;

use crate::status::{Code, Failure, Reason};

/// How tonic begins to say so.
const TONICS: &str = "Error, decoded message length too large";

/// Puts a reason and what to do in the place of tonic's refusal.
pub(crate) async fn explain(request: Request, next: Next) -> Response<Body> {
    let response = next.run(request).await;
    // A call that fails before its first answer has its status in the headers.
    match Status::from_header_map(response.headers()) {
        Some(status)
            if status.code() == Code::OutOfRange && status.message().starts_with(TONICS) =>
        {
            too_large().into_response()
        }
        _ => response,
    }
}

fn too_large() -> Failure {
    let message = "A message may have at most 4194304 bytes (4 MiB): put less into each.";
    Failure::new(Code::ResourceExhausted, Reason::MessageTooLarge, message)
}
