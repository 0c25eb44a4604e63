//! Calls at a service's own port, past the gateway: with any token, or none,
//! and with any message.

use http::uri::PathAndQuery;
use prost::Message;
use tonic::client::Grpc;
use tonic::metadata::MetadataValue;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;
use url::Url;

/// Calls a method, `/package.Service/Method`.
///
/// # Errors
/// The service's status; `UNAVAILABLE` when it cannot be reached.
///
/// # Panics
/// When the address, the method or the token cannot stand in a request.
pub async fn call<Q, A>(
    service: &Url,
    method: &str,
    token: Option<&str>,
    message: Q,
) -> Result<A, Status>
where
    Q: Message + 'static,
    A: Message + Default + 'static,
{
    let endpoint = Endpoint::from_shared(service.to_string());
    let channel = endpoint
        .unwrap_or_else(|error| panic!("{service}: {error}"))
        .connect_lazy();
    let method = PathAndQuery::try_from(method).unwrap_or_else(|error| panic!("{method}: {error}"));
    let mut request = Request::new(message);
    if let Some(token) = token {
        let value = MetadataValue::try_from(format!("Bearer {token}"));
        let value = value.unwrap_or_else(|error| panic!("the token is no header value: {error}"));
        request.metadata_mut().insert("authorization", value);
    }
    let mut client = Grpc::new(channel);
    let ready = client.ready().await;
    ready.map_err(|error| Status::new(Code::Unavailable, error.to_string()))?;
    let answer = client.unary(request, method, ProstCodec::default()).await?;
    Ok(answer.into_inner())
}

/// The reason that a status carries; empty where it carries none.
#[must_use]
pub fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}
