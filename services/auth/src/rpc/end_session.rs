//! `EndSession`.

use bionicpro_proto::auth::v1::{EndSessionRequest, EndSessionResponse};
use tonic::{Request, Response};

use super::{Answer, App};
use crate::session::Ticket;

pub(super) async fn handle(
    app: &App,
    request: Request<EndSessionRequest>,
) -> Answer<EndSessionResponse> {
    let identity_provider_session_ended = match Ticket::parse(&request.get_ref().session_ticket) {
        Some(ticket) => app.sessions.end(&ticket).await?,
        None => false,
    };
    Ok(Response::new(EndSessionResponse {
        identity_provider_session_ended,
    }))
}
