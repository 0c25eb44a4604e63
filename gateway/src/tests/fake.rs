//! A server that answers HTTP/1 and HTTP/2 as a test tells it to: in place of
//! auth, of the identity provider's token endpoint, and of a service that
//! misbehaves in ways that the real one does not on demand.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::UnboundedReceiverStream;

pub(super) type Body = BoxBody<Bytes, std::io::Error>;

/// Ends, with all its connections, when it is dropped.
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    _serving: JoinSet<()>,
}

impl Fake {
    /// Answers every request with what `answer` makes of it.
    pub(super) async fn start<A, R>(answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response<Body>> + Send + 'static,
    {
        Self::start_at("127.0.0.1:0".parse().unwrap(), answer).await
    }

    /// The same at a given address.
    pub(super) async fn start_at<A, R>(address: SocketAddr, answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let answer = answer.clone();
                let service = service_fn(move |request| {
                    let answer = answer(request);
                    async move { Ok::<_, Infallible>(answer.await) }
                });
                connections.spawn(async move {
                    let http = auto::Builder::new(TokioExecutor::new());
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self {
            address,
            _serving: serving,
        }
    }
}

/// The writing end of an answer's body.
pub(super) struct Pen(mpsc::UnboundedSender<Result<Frame<Bytes>, std::io::Error>>);

impl Pen {
    pub(super) fn message(&self, content: &[u8]) {
        self.0.send(Ok(Frame::data(framed(content)))).unwrap();
    }

    pub(super) fn status(&self, code: &'static str) {
        let trailers = HeaderMap::from_iter([(super::STATUS, HeaderValue::from_static(code))]);
        self.0.send(Ok(Frame::trailers(trailers))).unwrap();
    }

    /// Waits until nobody reads the answer any more.
    pub(super) async fn abandoned(self) {
        let limit = Duration::from_secs(5);
        tokio::time::timeout(limit, self.0.closed())
            .await
            .expect("still read");
    }
}

/// A gRPC answer whose body is written by the pen, now or later.
pub(super) fn answer() -> (Pen, Response<Body>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let body = BodyExt::boxed(StreamBody::new(UnboundedReceiverStream::new(receiver)));
    let mut response = Response::new(body);
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/grpc"),
    );
    (Pen(sender), response)
}

/// The whole answer to a unary call.
pub(super) fn message(content: &[u8]) -> Response<Body> {
    let (pen, response) = answer();
    pen.message(content);
    pen.status("0");
    response
}

/// What a token endpoint answers.
pub(super) fn json(text: &'static [u8]) -> Response<Body> {
    let body = Full::new(Bytes::from_static(text)).map_err(|never| match never {});
    Response::new(body.boxed())
}

/// An address at which there is nothing.
pub(super) fn nowhere() -> SocketAddr {
    let bound = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    bound.local_addr().unwrap()
}

/// Gives an empty body the type of all others.
pub(super) fn infallible(body: Empty<Bytes>) -> Body {
    body.map_err(|never| match never {}).boxed()
}

/// A message as it stands in a gRPC body.
pub(super) fn framed(content: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(content.len()).unwrap());
    frame.put_slice(content);
    frame.freeze()
}
