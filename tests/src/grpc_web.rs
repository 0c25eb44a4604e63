//! A grpc-web client on plain HTTP. Unlike a generated one it shows the whole
//! answer (HTTP status, cookies, where the gRPC status stood) and lets a suite
//! send what no browser would.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use prost::Message;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::Topology;

const TRAILER_FLAG: u8 = 0x80;
const FRAME_HEADER_BYTES: usize = 5;

/// Calls the gateway as the application's pages do.
pub struct GrpcWeb {
    http: reqwest::Client,
    gateway: String,
    headers: HeaderMap,
}

/// What came back.
#[derive(Debug)]
pub struct Answer<M> {
    /// The HTTP status.
    pub http_status: StatusCode,
    /// The HTTP headers.
    pub headers: HeaderMap,
    /// The messages, one for a unary call that succeeded.
    pub messages: Vec<M>,
    /// The gRPC status.
    pub status: Status,
}

impl GrpcWeb {
    /// A page of the application, without a session.
    ///
    /// # Panics
    /// When the topology's address is not one.
    #[must_use]
    pub fn page(stack: &Topology) -> Self {
        let origin = stack.gateway.public_url.origin().ascii_serialization();
        let mut page = Self {
            http: crate::http(),
            gateway: origin.clone(),
            headers: HeaderMap::new(),
        };
        page.set(ORIGIN, &origin);
        page.set(CONTENT_TYPE, "application/grpc-web+proto");
        page.set(HeaderName::from_static("x-grpc-web"), "1");
        page.set(HeaderName::from_static("x-bionicpro-csrf"), "1");
        page
    }

    /// The same page with cookies, as `name=value; name=value`.
    #[must_use]
    pub fn with_cookies(self, cookies: &str) -> Self {
        self.with(COOKIE, cookies)
    }

    /// The same page with another value of a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// The same page without a header.
    #[must_use]
    pub fn without(mut self, name: &HeaderName) -> Self {
        self.headers.remove(name);
        self
    }

    /// Calls a method, `/package.Service/Method`.
    ///
    /// # Errors
    /// When the gateway does not answer, or not in grpc-web's form.
    pub async fn call<Q: Message, A: Message + Default>(
        &self,
        method: &str,
        request: &Q,
    ) -> anyhow::Result<Answer<A>> {
        answer(self.request(method, request).send().await?).await
    }

    /// The same for a call that has so much time left.
    ///
    /// # Errors
    /// As above.
    pub async fn call_within<Q: Message, A: Message + Default>(
        &self,
        left: Duration,
        method: &str,
        request: &Q,
    ) -> anyhow::Result<Answer<A>> {
        let timeout = format!("{}m", left.as_millis());
        let request = self.request(method, request);
        answer(request.header("grpc-timeout", timeout).send().await?).await
    }

    fn request(&self, method: &str, message: &impl Message) -> reqwest::RequestBuilder {
        let request = self.http.post(format!("{}{method}", self.gateway));
        request.headers(self.headers.clone()).body(framed(message))
    }

    fn set(&mut self, name: HeaderName, value: &str) {
        let value = HeaderValue::try_from(value).unwrap_or_else(|error| panic!("{name}: {error}"));
        self.headers.insert(name, value);
    }
}

impl<M> Answer<M> {
    /// The one message of a unary call that succeeded.
    ///
    /// # Panics
    /// When the call failed.
    #[must_use]
    pub fn message(mut self) -> M {
        assert_eq!(self.status.code(), Code::Ok, "{}", self.status);
        self.messages.pop().unwrap_or_else(|| panic!("no message"))
    }

    /// The reason of a failure (`google.rpc.ErrorInfo`), empty without one.
    #[must_use]
    pub fn reason(&self) -> String {
        let info = self.status.get_details_error_info();
        info.map(|info| info.reason).unwrap_or_default()
    }

    /// The cookies that the answer sets.
    pub fn set_cookies(&self) -> impl Iterator<Item = &str> {
        let cookies = self.headers.get_all(SET_COOKIE).into_iter();
        cookies.filter_map(|value| value.to_str().ok())
    }
}

async fn answer<A: Message + Default>(response: reqwest::Response) -> anyhow::Result<Answer<A>> {
    let (http_status, headers) = (response.status(), response.headers().clone());
    let (messages, trailers) = unframed(response.bytes().await?)?;
    let status = trailers
        .as_ref()
        .and_then(Status::from_header_map)
        .or_else(|| Status::from_header_map(&headers))
        .with_context(|| format!("no grpc-status; HTTP {http_status}"))?;
    let messages = messages
        .into_iter()
        .map(A::decode)
        .collect::<Result<_, _>>()?;
    Ok(Answer {
        http_status,
        headers,
        messages,
        status,
    })
}

fn framed(message: &impl Message) -> Bytes {
    let message = message.encode_to_vec();
    let mut frame = BytesMut::with_capacity(FRAME_HEADER_BYTES + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(&message);
    frame.freeze()
}

fn unframed(mut body: Bytes) -> anyhow::Result<(Vec<Bytes>, Option<HeaderMap>)> {
    let mut messages = Vec::new();
    while body.has_remaining() {
        ensure!(body.len() >= FRAME_HEADER_BYTES, "a frame is cut off");
        let flag = body.get_u8();
        let length = usize::try_from(body.get_u32())?;
        ensure!(body.len() >= length, "a frame is cut off");
        let content = body.split_to(length);
        match flag {
            0 => messages.push(content),
            TRAILER_FLAG => {
                ensure!(!body.has_remaining(), "something follows the trailers");
                return Ok((messages, Some(trailers(&content)?)));
            }
            other => bail!("unknown frame {other:#x}"),
        }
    }
    Ok((messages, None))
}

fn trailers(block: &[u8]) -> anyhow::Result<HeaderMap> {
    let lines = std::str::from_utf8(block)?.split("\r\n");
    lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line.split_once(':').context("a trailer has no colon")?;
            Ok((name.parse::<HeaderName>()?, value.trim().parse()?))
        })
        .collect()
}
