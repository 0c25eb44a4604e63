//! The one entrance: hands a request to the calls or to the pages, and sees to
//! it that no answer leaves without its security headers.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use http::{Request, Response};
use hyper::body::Incoming;
use tonic::body::Body;
use tower::ServiceExt;

use crate::calls::{self, Calls};
use crate::security_headers::SecurityHeaders;

/// Our packages; no page begins with it.
const CALLS: &str = "/bionicpro.";

/// What one worker answers with.
pub(crate) struct Door {
    pub(crate) calls: Arc<Calls>,
    pub(crate) pages: Router,
    pub(crate) security_headers: SecurityHeaders,
}

/// The address that a request came from, for the pages.
#[derive(Clone, Copy)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl Door {
    /// Answers a request that came from an address.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        client: IpAddr,
        mut request: Request<Incoming>,
    ) -> Response<Body> {
        if request.uri().path().starts_with(CALLS) {
            let mut response = calls::answer(&self.calls, request).await;
            self.security_headers.on_call(response.headers_mut());
            return response;
        }
        request.extensions_mut().insert(ClientAddress(client));
        let Ok(response) = self.pages.clone().oneshot(request).await;
        let mut response = response.map(Body::new);
        self.security_headers.on_page(response.headers_mut());
        response
    }
}
