//! Processes that are told to stop (SIGTERM) end what they have begun and then themselves, each in
//! its bounded time, and nobody who repeats a call as the contract says notices. Each file takes
//! the grace away once and must see what it is for. A test that waits for an end has threads besides:
//! its own connections have to hear that they are to close.

mod inserts;
mod loads;
mod rolling_restart;
mod streams;

use std::time::Duration;

use bionicpro_tests::eventually;
use tokio::net::TcpStream;
use url::Url;

/// How long a process may take to hear the word to stop, or to listen.
const HEARD: Duration = Duration::from_secs(30);

/// Waits until a process takes connections.
async fn listens(address: &Url) {
    eventually("it listens", HEARD, || connects(address)).await;
}

/// Waits until a process that was told to stop takes no more connections.
async fn listens_no_more(address: &Url) {
    eventually("it is stopping", HEARD, || async {
        !connects(address).await
    })
    .await;
}

async fn connects(address: &Url) -> bool {
    let addresses = address.socket_addrs(|| None);
    let addresses = addresses.unwrap_or_else(|error| panic!("{address}: {error}"));
    TcpStream::connect(addresses.as_slice()).await.is_ok()
}
