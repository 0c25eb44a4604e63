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
            too_large(limit(status.message())).into_response()
        }
        _ => response,
    }
}

/// The limit of the service in bytes, which tonic names last; none should it come to word it
/// otherwise.
fn limit(message: &str) -> Option<u64> {
    let (_, limit) = message.rsplit_once("the limit is: ")?;
    limit.split(' ').next()?.parse().ok()
}

fn too_large(limit: Option<u64>) -> Failure {
    let limit = match limit {
        Some(limit) => format!("A message may have at most {limit} bytes here"),
        None => "The message has more bytes than this service takes".to_owned(),
    };
    let message = format!("{limit}: put less into each.");
    Failure::new(Code::ResourceExhausted, Reason::MessageTooLarge, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_one_that_tonic_names() {
        let refusal = "Error, decoded message length too large: found 5000000 bytes, \
             the limit is: 524288 bytes";
        assert!(refusal.starts_with(TONICS));
        assert_eq!(limit(refusal), Some(524_288));
        assert_eq!(limit(TONICS), None);
    }
}
