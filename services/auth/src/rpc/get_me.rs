//! `GetMe`.

use bionicpro_mesh::identity::{Caller, caller};
use bionicpro_proto::auth::v1::{GetMeRequest, GetMeResponse};
use tonic::{Request, Response};

use super::Answer;
use crate::error::Error;

pub(super) fn handle(request: &Request<GetMeRequest>) -> Answer<GetMeResponse> {
    let Caller::User(user) = caller(request) else {
        return Err(Error::Internal("the contract lets only people through").into());
    };
    Ok(Response::new(GetMeResponse {
        subject: user.subject.clone(),
        username: user.username.clone(),
        display_name: user.display_name.clone(),
        customer_id: user
            .customer_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
        roles: user.roles.clone(),
    }))
}
