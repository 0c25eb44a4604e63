//! `BeginSignIn`.

use bionicpro_proto::auth::v1::{BeginSignInRequest, BeginSignInResponse};
use tonic::{Request, Response};

use super::{Answer, App, duration};
use crate::sign_in::{ATTEMPT_LIFE, ReturnTo};

pub(super) async fn handle(
    app: &App,
    request: Request<BeginSignInRequest>,
) -> Answer<BeginSignInResponse> {
    let request = request.into_inner();
    let return_to: ReturnTo = request.return_to.parse()?;
    let begun = app.sign_ins.begin(return_to, &request.locale).await?;
    Ok(Response::new(BeginSignInResponse {
        authorization_url: begun.authorization_url,
        attempt_id: begun.attempt_id,
        attempt_ticket: begun.attempt_ticket,
        expires_in: Some(duration(ATTEMPT_LIFE)),
    }))
}
