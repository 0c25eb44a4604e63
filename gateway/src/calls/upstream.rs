//! A service behind the gateway and the HTTP/2 connection to it: requests go
//! out and answers come in as they are. What may be forwarded, and what a
//! failure looks like to the browser, is decided elsewhere.

use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tonic::body::Body;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes that one answer may be ahead of its browser. At HTTP/2's default of
/// 64 KiB a stream of small messages costs twice the CPU.
const STREAM_WINDOW: u32 = 1 << 20;
/// Bytes that all answers of a connection may be ahead. Larger than one
/// stream's, or a single slow browser would stop everybody else's answers.
const CONNECTION_WINDOW: u32 = 16 << 20;
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// A service behind the gateway. Each worker has its own, with one connection.
pub(crate) struct Upstream {
    name: &'static str,
    authority: Authority,
    connection: Mutex<Option<SendRequest<Body>>>,
}

/// The service could not be asked, or broke off before it answered.
#[derive(Debug, thiserror::Error)]
#[error("{upstream} cannot be reached")]
pub(crate) struct Unreachable {
    pub(crate) upstream: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Upstream {
    /// Connects with the first request.
    pub(crate) fn new(name: &'static str, authority: Authority) -> Self {
        Self {
            name,
            authority,
            connection: Mutex::new(None),
        }
    }

    /// The service's name, as it stands in errors and spans.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Sends a request and waits for the headers of the answer. A request that
    /// a closing connection did not take is sent once more on a new one.
    pub(crate) async fn send(
        &self,
        mut request: Request<Body>,
    ) -> Result<Response<Incoming>, Unreachable> {
        *request.uri_mut() = self.absolute(request.uri());
        let refused = match self.connection().await?.try_send_request(request).await {
            Ok(response) => return Ok(response),
            Err(refused) => refused,
        };
        let (unsent, reason) = split(refused);
        let Some(unsent) = unsent else {
            return Err(self.unreachable(reason));
        };
        *self.connection.lock().await = None;
        let mut connection = self.connection().await?;
        connection
            .send_request(unsent)
            .await
            .map_err(|error| self.unreachable(error))
    }

    /// The live connection, or a new one. Whoever comes while it is being made
    /// waits for the same one.
    async fn connection(&self) -> Result<SendRequest<Body>, Unreachable> {
        let mut slot = self.connection.lock().await;
        if let Some(connection) = slot.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(connection.clone());
        }
        let connecting = tokio::time::timeout(CONNECT_TIMEOUT, self.connect());
        let connection = match connecting.await {
            Ok(connected) => connected.map_err(|error| self.unreachable(error))?,
            Err(elapsed) => return Err(self.unreachable(elapsed)),
        };
        Ok(slot.insert(connection).clone())
    }

    async fn connect(&self) -> Result<SendRequest<Body>, Box<dyn std::error::Error + Send + Sync>> {
        let port = self.authority.port_u16().unwrap_or(80);
        let stream = TcpStream::connect((self.authority.host(), port)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .handshake(TokioIo::new(stream))
            .await?;
        let upstream = self.name;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::info!(upstream, %error, "the connection ended");
            }
        });
        Ok(sender)
    }

    fn absolute(&self, uri: &Uri) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(
            uri.path_and_query()
                .cloned()
                .unwrap_or_else(|| PathAndQuery::from_static("/")),
        );
        // The three parts are valid each and complete together.
        Uri::from_parts(parts).unwrap_or_default()
    }

    fn unreachable(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Unreachable {
        Unreachable {
            upstream: self.name,
            source: source.into(),
        }
    }
}

fn split(
    mut refused: hyper::client::conn::TrySendError<Request<Body>>,
) -> (Option<Request<Body>>, hyper::Error) {
    let unsent = refused.take_message();
    (unsent, refused.into_error())
}
