//! Calls whose messages are encoded already: the load costs as little as it can.

use std::marker::PhantomData;
use std::net::SocketAddr;

use anyhow::Context;
use bytes::{BufMut, Bytes};
use http::uri::PathAndQuery;
use prost::Message;
use tonic::client::Grpc;
use tonic::codec::{Codec, EncodeBuf, Encoder};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_prost::ProstDecoder;

/// How much of a stream's messages may be on the way unread.
const WINDOW: u32 = 1 << 20;

/// A connection to a service, with a token.
#[derive(Clone)]
pub(crate) struct Caller {
    channel: Channel,
    authorization: MetadataValue<Ascii>,
}

impl Caller {
    /// Connects.
    pub(crate) async fn connect(service: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_shared(format!("http://{service}"))?
            .tcp_nodelay(true)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(16 * WINDOW);
        Ok(Self {
            channel: endpoint.connect().await?,
            authorization: format!("Bearer {token}").parse()?,
        })
    }

    /// Calls a method, `/package.Service/Method`, with one message.
    pub(crate) async fn unary<A>(&self, method: &str, message: Bytes) -> anyhow::Result<A>
    where
        A: Message + Default + 'static,
    {
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await?;
        let request = self.request(message);
        let answer = client.unary(request, path(method)?, Encoded::new()).await;
        Ok(answer.with_context(|| method.to_owned())?.into_inner())
    }

    /// Calls a method with a stream of messages.
    pub(crate) async fn stream<A>(&self, method: &str, messages: Vec<Bytes>) -> anyhow::Result<A>
    where
        A: Message + Default + 'static,
    {
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await?;
        let request = self.request(tokio_stream::iter(messages));
        let answer = client.client_streaming(request, path(method)?, Encoded::new());
        Ok(answer
            .await
            .with_context(|| method.to_owned())?
            .into_inner())
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.authorization.clone());
        request
    }
}

fn path(method: &str) -> anyhow::Result<PathAndQuery> {
    Ok(PathAndQuery::try_from(method)?)
}

/// Requests are bytes, answers are messages.
struct Encoded<A>(PhantomData<fn() -> A>);

impl<A> Encoded<A> {
    fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A: Message + Default + 'static> Codec for Encoded<A> {
    type Encode = Bytes;
    type Decode = A;
    type Encoder = AsTheyAre;
    type Decoder = ProstDecoder<A>;

    fn encoder(&mut self) -> AsTheyAre {
        AsTheyAre
    }

    fn decoder(&mut self) -> ProstDecoder<A> {
        ProstDecoder::default()
    }
}

struct AsTheyAre;

impl Encoder for AsTheyAre {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}
