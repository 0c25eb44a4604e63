//! HTTP to the identity provider: short time-outs, no redirects, the trace goes along.

use std::{pin::Pin, time::Duration};

use bionicpro_mesh::telemetry;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect;
use tracing::Instrument as _;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(4);

/// For requests that spend a code or a refresh token. A provider that was slow takes
/// them all the same, and an answer that nobody waits for any more is lost with the
/// session; whoever asked for it is not kept waiting as long.
const SPENDING_TIMEOUT: Duration = Duration::from_secs(60);

/// Far above any answer of a provider.
const LONGEST_ANSWER: usize = 1 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// The request could not be sent or its answer not be read. The address may
    /// hold nothing secret, but is left out all the same.
    #[error("{0}")]
    Transport(reqwest::Error),
    /// The answer is not an HTTP message that can be kept.
    #[error("{0}")]
    Message(#[from] http::Error),
    /// The answer is longer than any that makes sense.
    #[error("the answer is longer than {LONGEST_ANSWER} bytes")]
    TooLong,
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error.without_url())
    }
}

/// The client that all requests to the provider share.
#[derive(Clone)]
pub(super) struct Http(reqwest::Client);

impl Http {
    /// A client without a connection.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        // A second installation changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .build()?;
        Ok(Self(client))
    }

    /// Sends one request and reads the whole answer, whatever its status.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.send_within(TIMEOUT, request).await
    }

    async fn send_within(
        &self,
        limit: Duration,
        mut request: HttpRequest,
    ) -> Result<HttpResponse, HttpError> {
        let address = request.uri().host().unwrap_or_default();
        let port = request.uri().port_u16().unwrap_or(443);
        let span = telemetry::http::request(request.method(), address, port);
        telemetry::inject(&span, request.headers_mut());
        let mut request: reqwest::Request = request.try_into()?;
        *request.timeout_mut() = Some(limit);
        let mut answer = self.0.execute(request).instrument(span.clone()).await?;
        telemetry::http::response(&span, answer.status());
        let mut message = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            message = message.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(message.body(body)?)
    }
}

/// As `openidconnect` asks: for tokens alone.
impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send_within(SPENDING_TIMEOUT, request))
    }
}
