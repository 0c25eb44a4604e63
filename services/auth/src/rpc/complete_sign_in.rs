//! `CompleteSignIn`.

use bionicpro_proto::auth::v1::{
    CompleteSignInRequest, CompleteSignInResponse, complete_sign_in_request,
};
use tonic::{Request, Response};

use super::{Answer, App, duration};
use crate::{error::Error, session::Ticket, sign_in};

pub(super) async fn handle(
    app: &App,
    request: Request<CompleteSignInRequest>,
) -> Answer<CompleteSignInResponse> {
    let completed = app.sign_ins.complete(decode(request.into_inner())?).await?;
    Ok(Response::new(CompleteSignInResponse {
        session_ticket: completed.ticket.reveal(),
        expires_in: Some(duration(app.sessions.longest())),
        return_to: completed.return_to.into_string(),
    }))
}

fn decode(request: CompleteSignInRequest) -> Result<sign_in::Answer, Error> {
    use complete_sign_in_request::Answer::{Code, Error as Refusal};
    Ok(sign_in::Answer {
        outcome: match request.answer {
            Some(Code(code)) => Ok(code),
            Some(Refusal(error)) => Err(error),
            None => return Err(Error::Internal("the contract lets no empty answer through")),
        },
        state: request.state,
        attempt_ticket: request.attempt_ticket,
        issuer: request.issuer,
        // A ticket that does not read names no session that could be replaced.
        previous: Ticket::parse(&request.previous_session_ticket),
    })
}
