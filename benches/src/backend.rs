//! The service behind the contenders: a unary reply of 1 KB and a stream of
//! 1,000 messages, as cheap as tonic makes them. With tonic-web in front it is
//! the baseline that has no gateway at all.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use bionicpro_proto::policy::{self, Audience, Deadline, Idempotency, Policy};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use http::{Request, Response};
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, ServerStreamingService, UnaryService};
use tonic::{Status, transport::Server};
use tonic_prost::ProstCodec;
use tonic_web::GrpcWebLayer;
use tower::Service;

/// In a package that the gateway routes; the methods are in no contract.
pub(crate) const UNARY: &str = "/bionicpro.reports.v1.Bench/Unary";
pub(crate) const STREAM: &str = "/bionicpro.reports.v1.Bench/Stream";
/// Content of a message; its encoding has 3 and 2 bytes before it.
const UNARY_CONTENT_BYTES: usize = 1021;
const STREAM_CONTENT_BYTES: usize = 98;
/// Sizes of the encoded messages.
pub(crate) const UNARY_BYTES: usize = UNARY_CONTENT_BYTES + 3;
pub(crate) const STREAM_BYTES: usize = STREAM_CONTENT_BYTES + 2;
pub(crate) const STREAM_MESSAGES: usize = 1000;
const WINDOW: u32 = 1 << 20;

/// The contracts' policies, and those of the two methods.
pub(crate) fn policies(path: &str) -> Option<&'static Policy> {
    const fn measured(server_streaming: bool) -> Policy {
        Policy {
            audiences: &[Audience::User],
            roles: &[],
            browser: true,
            step_up: false,
            deadline: Deadline::Bounded {
                default: Duration::from_secs(10),
                maximum: Duration::from_secs(10),
            },
            idempotency: Idempotency::NoSideEffects,
            server_streaming,
        }
    }
    static UNARY_POLICY: Policy = measured(false);
    static STREAM_POLICY: Policy = measured(true);
    match path {
        UNARY => Some(&UNARY_POLICY),
        STREAM => Some(&STREAM_POLICY),
        other => policy::of(other),
    }
}

/// Serves at `BIONICPRO_LISTEN` until the process is killed.
pub(crate) fn serve(grpc_web: bool) -> anyhow::Result<()> {
    let address: SocketAddr = std::env::var("BIONICPRO_LISTEN")
        .context("BIONICPRO_LISTEN")?
        .parse()?;
    let server = Server::builder()
        .accept_http1(grpc_web)
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(16 * WINDOW);
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async move {
        if grpc_web {
            let mut server = server.layer(GrpcWebLayer::new());
            server.add_service(Backend).serve(address).await
        } else {
            let mut server = server;
            server.add_service(Backend).serve(address).await
        }
    })?;
    Ok(())
}

#[derive(Clone)]
struct Backend;

impl NamedService for Backend {
    const NAME: &'static str = "bionicpro.reports.v1.Bench";
}

impl UnaryService<Bytes> for Backend {
    type Response = Bytes;
    type Future = BoxFuture<'static, Result<tonic::Response<Bytes>, Status>>;

    fn call(&mut self, _: tonic::Request<Bytes>) -> Self::Future {
        static CONTENT: [u8; UNARY_CONTENT_BYTES] = [b'u'; UNARY_CONTENT_BYTES];
        async { Ok(tonic::Response::new(Bytes::from_static(&CONTENT))) }.boxed()
    }
}

impl ServerStreamingService<Bytes> for Backend {
    type Response = Bytes;
    type ResponseStream = BoxStream<'static, Result<Bytes, Status>>;
    type Future = BoxFuture<'static, Result<tonic::Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, _: tonic::Request<Bytes>) -> Self::Future {
        static CONTENT: [u8; STREAM_CONTENT_BYTES] = [b's'; STREAM_CONTENT_BYTES];
        let messages = stream::repeat(Bytes::from_static(&CONTENT)).take(STREAM_MESSAGES);
        async { Ok(tonic::Response::new(messages.map(Ok).boxed())) }.boxed()
    }
}

impl Service<Request<Body>> for Backend {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        async {
            let mut grpc = Grpc::new(ProstCodec::<Bytes, Bytes>::default());
            Ok(match request.uri().path() {
                UNARY => grpc.unary(Self, request).await,
                STREAM => grpc.server_streaming(Self, request).await,
                _ => Status::unimplemented("").into_http(),
            })
        }
        .boxed()
    }
}
