//! The listening socket, and how the gateway stops.

use std::time::Duration;

use http_body_util::BodyExt;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::browser::unframed;
use super::fake::{self, framed};
use super::{DRAIN, Gateway, STREAM, door, signed_in};
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

#[tokio::test]
async fn a_gateway_that_stops_refuses_new_connections() {
    let listener = server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let make_door = || door(fake::nowhere(), fake::nowhere(), 1.0);
    let workers = server::start(listener, make_door, &stop, DRAIN).unwrap();
    TcpStream::connect(address).await.unwrap();
    stop.cancel();
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let soon = Duration::from_secs(10);
    tokio::time::timeout(soon, refused).await.expect("refused");
    for worker in workers {
        worker.join().unwrap();
    }
}
