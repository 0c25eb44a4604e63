//! A page of the application, on plain HTTP/1.

use std::net::SocketAddr;

use bytes::{Buf, Bytes};
use http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tonic::Status;

use super::fake::framed;

/// What came back, whole.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) messages: Vec<Bytes>,
    pub(super) status: Status,
    /// Whether the status stood in the headers.
    pub(super) trailers_only: bool,
}

/// Calls with what the application's pages send, and what a test changes of it.
#[derive(Clone)]
pub(super) struct Browser {
    pub(super) gateway: SocketAddr,
    headers: HeaderMap,
}

impl Browser {
    /// A signed-in page.
    pub(super) fn at(gateway: SocketAddr) -> Self {
        let headers = [
            (HOST, "localhost:3000"),
            (ORIGIN, super::ORIGIN),
            (COOKIE, super::COOKIE),
            (CONTENT_TYPE, "application/grpc-web+proto"),
            (HeaderName::from_static("x-bionicpro-csrf"), "1"),
        ];
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .collect();
        Self { gateway, headers }
    }

    pub(super) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    pub(super) fn without(mut self, name: &'static str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Sends one message and waits for the whole answer.
    pub(super) async fn call(&self, method: &str, message: &[u8]) -> Answer {
        let response = self.open(method, framed(message)).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let (messages, trailers) = unframed(body);
        let status = trailers.as_ref().unwrap_or(&head.headers);
        Answer {
            status: Status::from_header_map(status).expect("a gRPC status"),
            trailers_only: trailers.is_none(),
            headers: head.headers,
            messages,
        }
    }

    /// Asks for a page.
    pub(super) async fn get(&self, path: &str) -> Response<Incoming> {
        self.send(Request::get(path), Bytes::new()).await
    }

    /// Sends a body and waits for the headers of the answer.
    pub(super) async fn open(&self, path: &str, body: Bytes) -> Response<Incoming> {
        self.send(Request::post(path), body).await
    }

    async fn send(&self, request: request::Builder, body: Bytes) -> Response<Incoming> {
        let stream = TcpStream::connect(self.gateway).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = request.body(Full::new(body)).unwrap();
        *request.headers_mut() = self.headers.clone();
        sender.send_request(request).await.unwrap()
    }
}

/// Takes a grpc-web body apart: its messages, and the trailers at its end.
pub(super) fn unframed(mut body: Bytes) -> (Vec<Bytes>, Option<HeaderMap>) {
    let mut messages = Vec::new();
    while body.has_remaining() {
        let flag = body.get_u8();
        let length = usize::try_from(body.get_u32()).unwrap();
        let content = body.split_to(length);
        if flag == 0 {
            messages.push(content);
            continue;
        }
        assert!(!body.has_remaining(), "something follows the trailers");
        let lines = std::str::from_utf8(&content)
            .unwrap()
            .split_terminator("\r\n");
        let trailers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.parse().unwrap(), value.parse().unwrap())
        });
        return (messages, Some(trailers.collect::<HeaderMap>()));
    }
    (messages, None)
}
