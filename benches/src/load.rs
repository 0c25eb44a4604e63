//! The load: requests over a number of HTTP/1.1 connections, one after the other
//! on each, every answer checked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use futures::future::try_join_all;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// As many as the figures in docs were measured with.
const CONNECTIONS: usize = 16;

/// Says what is wrong with an answer.
pub(crate) type Check = Arc<dyn Fn(&Response<()>, &[u8]) -> anyhow::Result<()>>;

/// The same request, again and again.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) check: Check,
}

impl Load {
    /// Sends about this many requests. Answers how many it were and how long
    /// they took.
    pub(crate) fn run(&self, requests: usize) -> anyhow::Result<(usize, Duration)> {
        let each = requests / CONNECTIONS;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let began = Instant::now();
        let connections = (0..CONNECTIONS).map(|_| self.on_one_connection(each));
        runtime.block_on(try_join_all(connections))?;
        Ok((each * CONNECTIONS, began.elapsed()))
    }

    async fn on_one_connection(&self, requests: usize) -> anyhow::Result<()> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        for _ in 0..requests {
            sender.ready().await?;
            let response = sender.send_request(self.request()?).await?;
            self.checked(response).await?;
        }
        drop(sender);
        Ok(connection.await??)
    }

    fn request(&self) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .body(Full::new(self.body.clone()))?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }

    async fn checked(&self, response: Response<Incoming>) -> anyhow::Result<()> {
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        let head = Response::from_parts(head, ());
        (self.check)(&head, &body).with_context(|| format!("{}: {head:?}", self.path))
    }
}

/// A grpc-web answer of this many messages of this size, and success.
pub(crate) fn check_grpc_web<const MESSAGES: usize, const BYTES: usize>(
    head: &Response<()>,
    body: &[u8],
) -> anyhow::Result<()> {
    const FRAME_HEADER_BYTES: usize = 5;
    ensure!(head.status().is_success(), "HTTP {}", head.status());
    let messages = MESSAGES * (FRAME_HEADER_BYTES + BYTES);
    let trailers = body.get(messages..).context("messages are missing")?;
    ensure!(
        trailers.first() == Some(&0x80),
        "no trailer frame after the messages"
    );
    let trailers = String::from_utf8_lossy(&trailers[FRAME_HEADER_BYTES..]).replace(' ', "");
    ensure!(trailers.contains("grpc-status:0\r\n"), "{trailers}");
    Ok(())
}
