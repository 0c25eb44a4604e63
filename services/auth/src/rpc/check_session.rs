//! `CheckSession`.

use bionicpro_proto::auth::v1::{CheckSessionRequest, CheckSessionResponse};
use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use tonic::{Request, Response};

use super::{Answer, App};
use crate::{error::Error, session::Ticket};

pub(super) async fn handle(
    app: &App,
    request: Request<CheckSessionRequest>,
) -> Answer<CheckSessionResponse> {
    let ticket = Ticket::parse(&request.get_ref().session_ticket).ok_or(Error::SessionNotFound)?;
    let access = app.sessions.check(&ticket).await?;
    Ok(Response::new(CheckSessionResponse {
        subject: access.subject,
        access_token: access.token,
        access_token_expires_at: Some(timestamp(access.expires_at)),
        session_expires_at: Some(timestamp(access.session_expires_at)),
    }))
}

fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: time.timestamp(),
        nanos: time.timestamp_subsec_nanos().try_into().unwrap_or_default(),
    }
}
