//! A service of two methods, one unary and one streaming, that does what its request says, and
//! ways to run and call it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bionicpro_proto::policy::{Audience, Deadline, Idempotency, Policy};
use futures::future::{BoxFuture, pending};
use futures::stream::{self, BoxStream, StreamExt as _};
use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::client::{Grpc, GrpcService};
use tonic::codec::Streaming;
use tonic::server::NamedService;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use crate::server::{ServeError, Server};
use crate::{client, deadline, identity};

/// Takes and answers one message.
pub(crate) const SAY: &str = "/bionicpro.test.v1.TestService/Say";
/// The same within a tenth of a second, whatever the caller asks.
pub(crate) const HURRY: &str = "/bionicpro.test.v1.TestService/Hurry";
/// A method of our contracts that may be repeated.
pub(crate) const GET_STATUS: &str = "/bionicpro.cdc.v1.CdcService/GetStatus";
/// Takes one message, answers many.
const WATCH: &str = "/bionicpro.test.v1.TestService/Watch";

const POLICY: Policy = Policy {
    audiences: &[Audience::User, Audience::Service],
    roles: &["tester"],
    browser: false,
    step_up: false,
    deadline: Deadline::Bounded {
        default: Duration::from_secs(5),
        maximum: Duration::from_secs(5),
    },
    idempotency: Idempotency::Unknown,
    server_streaming: false,
};
const HURRY_POLICY: Policy = Policy {
    deadline: Deadline::Bounded {
        default: Duration::from_millis(100),
        maximum: Duration::from_millis(100),
    },
    ..POLICY
};
const STREAM_POLICY: Policy = Policy {
    server_streaming: true,
    ..POLICY
};

/// The policies of the test service.
pub(crate) fn policy(path: &str) -> Option<&'static Policy> {
    match path {
        SAY => Some(&POLICY),
        HURRY => Some(&HURRY_POLICY),
        WATCH => Some(&STREAM_POLICY),
        _ => None,
    }
}

/// The service; counts the handlers that are under way, and may call another service.
#[derive(Clone, Default)]
pub(crate) struct Probe {
    under_way: Arc<AtomicUsize>,
    upstream: Option<client::Channel>,
}

impl Probe {
    /// Calls `upstream` when it is told to "forward".
    pub(crate) fn calling(upstream: client::Channel) -> Self {
        let upstream = Some(upstream);
        Self {
            upstream,
            ..Self::default()
        }
    }

    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::SeqCst)
    }

    fn enter(&self) -> Entered {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        Entered(self.under_way.clone())
    }

    async fn say(self, request: Request<String>) -> Result<Response<String>, Status> {
        let _entered = self.enter();
        Ok(Response::new(match request.get_ref().as_str() {
            "hang" => pending().await,
            "panic" => panic!("asked to"),
            "who" => format!("{:?}", identity::caller(&request)),
            "forward" => {
                let upstream = self.upstream.clone().unwrap();
                say(upstream, GET_STATUS, Request::new(String::new())).await?
            }
            "remaining" => format!("{:?}", deadline::remaining().is_some()),
            milliseconds => {
                let pause = milliseconds.parse().unwrap_or(0);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                milliseconds.to_owned()
            }
        }))
    }

    async fn watch(
        self,
        request: Request<String>,
    ) -> Result<Response<BoxStream<'static, Result<String, Status>>>, Status> {
        let entered = self.enter();
        let then = request.into_inner();
        let rest = stream::once(async move {
            let _entered = entered;
            match then.as_str() {
                "hang" => pending().await,
                "panic" => panic!("asked to"),
                _ => Ok("last".to_owned()),
            }
        });
        let first = stream::once(async { Ok("first".to_owned()) });
        Ok(Response::new(first.chain(rest).boxed()))
    }
}

struct Entered(Arc<AtomicUsize>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl NamedService for Probe {
    const NAME: &'static str = "bionicpro.test.v1.TestService";
}

impl Service<http::Request<Body>> for Probe {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let probe = self.clone();
        Box::pin(async move {
            let codec = ProstCodec::<String, String>::default();
            let mut grpc = tonic::server::Grpc::new(codec);
            Ok(match request.uri().path() {
                SAY | HURRY => {
                    grpc.unary(service_fn(|it| probe.clone().say(it)), request)
                        .await
                }
                _ => {
                    let watch = service_fn(|it| probe.clone().watch(it));
                    grpc.server_streaming(watch, request).await
                }
            })
        })
    }
}

/// A server under test.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) ended: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    pub(crate) async fn start(server: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let ended = tokio::spawn(server.serve_on(listener, shutdown));
        Self {
            address,
            stop,
            ended,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// A plain channel, as any client would use.
pub(crate) fn connect(running: &Running) -> Channel {
    Channel::from_shared(running.url()).unwrap().connect_lazy()
}

/// Calls the unary method, or another that speaks in strings.
pub(crate) async fn say<C>(
    client: C,
    path: &'static str,
    request: Request<String>,
) -> Result<String, Status>
where
    C: GrpcService<Body>,
    C::ResponseBody: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    <C::ResponseBody as http_body::Body>::Error: Into<tonic::codegen::StdError>,
    C::Error: Into<tonic::codegen::StdError>,
{
    let mut grpc = Grpc::new(client);
    grpc.ready()
        .await
        .map_err(|error| Status::from_error(error.into()))?;
    let codec = ProstCodec::<String, String>::default();
    let path = PathAndQuery::from_static(path);
    Ok(grpc.unary(request, path, codec).await?.into_inner())
}

/// Calls the streaming method.
pub(crate) async fn watch(
    client: Channel,
    request: Request<String>,
) -> Result<Streaming<String>, Status> {
    let mut grpc = Grpc::new(client);
    grpc.ready()
        .await
        .map_err(|error| Status::from_error(error.into()))?;
    let codec = ProstCodec::<String, String>::default();
    let path = PathAndQuery::from_static(WATCH);
    Ok(grpc
        .server_streaming(request, path, codec)
        .await?
        .into_inner())
}
