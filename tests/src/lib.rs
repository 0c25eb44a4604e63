//! What the end-to-end suites share: the running stack, a grpc-web client that
//! shows what a browser would see, and the stack's processes. The suites stand
//! in `tests/`, one behaviour a function.

pub mod browser;
pub mod consumer;
pub mod crm;
pub mod devices;
pub mod exports;
pub mod file_store;
pub mod grpc_web;
pub mod held_open;
pub mod jaeger;
pub mod load;
pub mod loader;
pub mod maker;
pub mod processes;
pub mod prometheus;
pub mod proxy;
pub mod reports;
pub mod rpc;
pub mod sockets;
pub mod stand_in;
pub mod telemetry;
pub mod tokens;
pub mod topology;
pub mod violations;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, MutexGuard};

pub use grpc_web::GrpcWeb;
pub use topology::Topology;

/// The stack that the suites run against.
///
/// # Panics
/// Without `BIONICPRO_TOPOLOGY`: `cargo stack test` sets it.
#[must_use]
pub fn stack() -> &'static Topology {
    static TOPOLOGY: LazyLock<Topology> =
        LazyLock::new(|| Topology::from_environment().unwrap_or_else(|error| panic!("{error:#}")));
    &TOPOLOGY
}

/// An HTTP client that follows no redirect and keeps no cookie: both are what
/// the suites look at.
///
/// # Panics
/// When the client cannot be built.
#[must_use]
pub fn http() -> reqwest::Client {
    // A second call finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap_or_else(|error| panic!("no HTTP client: {error}"))
}

/// Held while Keycloak checks somebody's password. Its brute-force protection refuses
/// one that comes while another of the same person is being checked, and the tests of
/// one program share the few people there are.
async fn one_password_at_a_time() -> MutexGuard<'static, ()> {
    static PASSWORDS: Mutex<()> = Mutex::const_new(());
    PASSWORDS.lock().await
}

/// Waits until a condition holds.
///
/// # Panics
/// When it does not hold within `limit`; the message says what was awaited.
pub async fn eventually<F, R>(awaited: &str, limit: Duration, mut condition: F)
where
    F: FnMut() -> R,
    R: Future<Output = bool>,
{
    const PAUSE: Duration = Duration::from_millis(50);
    let began = Instant::now();
    while !condition().await {
        assert!(began.elapsed() < limit, "not within {limit:?}: {awaited}");
        tokio::time::sleep(PAUSE).await;
    }
}
