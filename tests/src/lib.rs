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
pub mod worn_day;

use std::fmt::Display;
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

/// What is found when a condition is looked at: that it holds, or not, or what there is instead.
pub trait Finding {
    /// Nothing where the condition holds; else what there is instead, as far as that is known.
    fn instead(self) -> Option<String>;
}

impl Finding for bool {
    fn instead(self) -> Option<String> {
        (!self).then(String::new)
    }
}

impl<E: Display> Finding for Result<(), E> {
    fn instead(self) -> Option<String> {
        self.err().map(|error| format!("\nat last: {error}"))
    }
}

/// Waits until a condition holds.
///
/// # Panics
/// When it does not hold within `limit`; the message says what was awaited and what was found last.
pub async fn eventually<F, R>(awaited: &str, limit: Duration, mut condition: F)
where
    F: FnMut() -> R,
    R: Future<Output: Finding>,
{
    const PAUSE: Duration = Duration::from_millis(50);
    let began = Instant::now();
    while let Some(found) = condition().await.instead() {
        assert!(
            began.elapsed() < limit,
            "not within {limit:?}: {awaited}{found}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[should_panic(expected = "not within 60ms: the third is there\nat last: 1")]
    async fn what_was_awaited_and_what_was_found_is_said() {
        let limit = Duration::from_millis(60);
        let condition = || async { Err::<(), _>(1) };
        eventually("the third is there", limit, condition).await;
    }

    #[tokio::test]
    async fn a_condition_may_hold_later() {
        let mut count = 0;
        eventually("the third is there", Duration::MAX, || {
            count += 1;
            let found = if count < 3 { Err(count) } else { Ok(()) };
            async move { found }
        })
        .await;
        assert_eq!(count, 3);
    }
}
