//! The listening socket, and how the gateway stops.

use http_body_util::BodyExt;

use super::browser::unframed;
use super::fake::{self, framed};
use super::{Gateway, STREAM, signed_in};
use crate::server;

#[tokio::test]
async fn a_second_gateway_on_the_same_address_fails_loudly() {
    let gateway = Gateway::between(|_| signed_in(), fake::nowhere()).await;
    let second = server::bind(gateway.browser.gateway);
    assert_eq!(second.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_call_under_way_ends_before_the_gateway_stops() {
    let (pen, gateway) = super::writing().await;
    pen.message(b"first");
    let answer = gateway.browser.open(STREAM, framed(b"")).await;
    drop(gateway.stop);
    pen.message(b"last");
    pen.status("0");
    let (messages, trailers) = unframed(answer.into_body().collect().await.unwrap().to_bytes());
    assert_eq!(messages, ["first", "last"]);
    assert_eq!(trailers.unwrap()["grpc-status"], "0");
}
