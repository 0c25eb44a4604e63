//! Whether a browser may download a file: the CDN asks here before it hands one out, on a listener
//! of its own that no browser reaches. Not the hot path of calls: this asks reports by a typed call,
//! with the token of the browser's session.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use bionicpro_mesh::client::Channel;
use bionicpro_mesh::status::{self, Reason};
use bionicpro_mesh::telemetry::http as http_spans;
use bionicpro_proto::reports::v1::AuthorizeDownloadRequest;
use bionicpro_proto::reports::v1::reports_service_client::ReportsServiceClient;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};
use tracing::{Instrument, Span};

use crate::cookies;
use crate::sessions::{self, Sessions};

const ROUTE: &str = "/authorize";
/// Path and query that the browser asked the CDN for.
const ORIGINAL_URI: &str = "x-original-uri";
/// Path and query at the file store.
const ORIGIN_URI: HeaderName = HeaderName::from_static("x-origin-uri");
/// What a refusal means. The CDN's `auth_request` knows 401 and 403 only; every other status is a
/// failure of the check to it.
const REFUSAL: HeaderName = HeaderName::from_static("x-download-status");

/// Whom downloads are decided with.
pub(crate) struct Downloads {
    sessions: Sessions,
    reports: ReportsServiceClient<Channel>,
    trace_ratio: f64,
}

impl Downloads {
    /// `auth` brings the gateway's own token, `reports` that of each call.
    pub(crate) fn new(auth: &Channel, reports: Channel, trace_ratio: f64) -> Self {
        Self {
            sessions: Sessions::new(auth),
            reports: ReportsServiceClient::new(reports),
            trace_ratio,
        }
    }

    /// Where the file lies, or what is said to the browser in its place. Of this, only what follows
    /// the check of the session runs in `span`.
    async fn authorize(&self, headers: &HeaderMap, span: &Span) -> Result<HeaderValue, StatusCode> {
        let ticket = cookies::session(headers).ok_or(StatusCode::UNAUTHORIZED)?;
        let link = headers.get(ORIGINAL_URI).and_then(|uri| uri.to_str().ok());
        let link = link.ok_or(StatusCode::FORBIDDEN)?;
        let check = self
            .sessions
            .check_for(span, headers, ticket, self.trace_ratio);
        let token = check.await.map_err(no_session)?;
        let mut request = Request::new(AuthorizeDownloadRequest {
            path_and_query: link.to_owned(),
        });
        let token = format!("Bearer {token}").parse();
        let token = token.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
        request.metadata_mut().insert(AUTHORIZATION.as_str(), token);
        let mut reports = self.reports.clone();
        let answer = reports.authorize_download(request).instrument(span.clone());
        let answer = answer.await.map_err(refusal)?;
        let origin = answer.into_inner().origin_path_and_query;
        HeaderValue::from_str(&origin).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
    }
}

/// Answers until `stop`, and what is under way for `drain` longer, on a thread of its own.
///
/// # Errors
/// The thread or its runtime cannot be made.
pub(crate) fn start<F>(
    listener: std::net::TcpListener,
    make: F,
    stop: CancellationToken,
    drain: Duration,
) -> io::Result<JoinHandle<()>>
where
    F: FnOnce() -> Downloads + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::Builder::new()
        .name("downloads".to_owned())
        .spawn(move || {
            if let Err(error) = runtime.block_on(serve(listener, make, stop, drain)) {
                tracing::error!(%error, "downloads ended");
            }
        })
}

pub(crate) async fn serve(
    listener: std::net::TcpListener,
    make: impl FnOnce() -> Downloads,
    stop: CancellationToken,
    drain: Duration,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|stream| {
        // Without it small answers wait for the peer's delayed acknowledgement, 40 ms.
        let _ = stream.set_nodelay(true);
    });
    let router = Router::new()
        .route(ROUTE, get(answer))
        .with_state(Arc::new(make()));
    let stopped = stop.clone();
    let served = axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .into_future();
    let cut = async move {
        stopped.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        served = served => served,
        () = cut => {
            tracing::warn!("answers on downloads were cut off");
            Ok(())
        }
    }
}

async fn answer(State(downloads): State<Arc<Downloads>>, headers: HeaderMap) -> Response {
    let span = http_spans::get("authorize download", ROUTE);
    let (response, failure) = match downloads.authorize(&headers, &span).await {
        Ok(origin) => {
            let granted = (StatusCode::NO_CONTENT, [(ORIGIN_URI, origin)]);
            (granted.into_response(), None)
        }
        Err(meaning) => {
            let status = match meaning {
                StatusCode::UNAUTHORIZED => meaning,
                _ => StatusCode::FORBIDDEN,
            };
            let refused = (status, [(REFUSAL, HeaderValue::from(meaning.as_u16()))]);
            let failure = meaning.is_server_error().then_some(meaning);
            (refused.into_response(), failure)
        }
    };
    http_spans::answered(&span, response.status(), failure);
    response
}

fn no_session(failure: sessions::Failure) -> StatusCode {
    match failure {
        sessions::Failure::Refused(_) => StatusCode::UNAUTHORIZED,
        sessions::Failure::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "maps an error")]
fn refusal(status: Status) -> StatusCode {
    match status::reason(&status) {
        Some(
            Reason::ExportForeign
            | Reason::ExportLinkInvalid
            | Reason::CustomerNotLinked
            | Reason::AccessDenied
            | Reason::InvalidField,
        ) => StatusCode::FORBIDDEN,
        Some(Reason::ExportNotFound) => StatusCode::NOT_FOUND,
        Some(Reason::ExportLinkExpired) => StatusCode::GONE,
        _ => {
            tracing::warn!(code = ?status.code(), status_message = status.message(), "reports did not answer");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
