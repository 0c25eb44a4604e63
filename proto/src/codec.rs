//! The codec of the servers: a message that breaks a rule of its contract is answered with
//! `INVALID_ARGUMENT` before a handler sees it. Clients use tonic's plain codec.

use std::marker::PhantomData;

use prost::Message;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::ProstEncoder;

use crate::validation::{self, Validate};

/// Encodes `Answer`s, decodes and checks `Request`s.
#[derive(Debug)]
pub struct ValidatingCodec<Answer, Request>(PhantomData<(Answer, Request)>);

impl<Answer, Request> Default for ValidatingCodec<Answer, Request> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Answer, Request> Codec for ValidatingCodec<Answer, Request>
where
    Answer: Message + Send + 'static,
    Request: Message + Default + Validate + Send + 'static,
{
    type Encode = Answer;
    type Decode = Request;
    type Encoder = ProstEncoder<Answer>;
    type Decoder = ValidatingDecoder<Request>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        ValidatingDecoder(PhantomData)
    }
}

/// Decodes and checks `Request`s.
#[derive(Debug)]
pub struct ValidatingDecoder<Request>(PhantomData<Request>);

impl<Request: Message + Default + Validate> Decoder for ValidatingDecoder<Request> {
    type Item = Request;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Request>, Status> {
        let request = Request::decode(buffer).map_err(|_| validation::undecodable())?;
        request
            .validate()
            .map_err(validation::Violations::into_status)?;
        Ok(Some(request))
    }
}
