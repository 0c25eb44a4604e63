//! What the tests of this crate stand on: an identity provider of their own and a service whose
//! requests say what it does. Both are real servers on loopback.

mod issuer;
mod service;
mod signing_key;
mod upstream;

use std::time::Duration;

use tokio::time::{advance, pause, resume};

pub(crate) use issuer::{AUDIENCE, Issuer, in_seconds};
pub(crate) use service::{GET_STATUS, HURRY, Probe, Running, SAY, connect, policy, say, watch};
pub(crate) use signing_key::{SigningKey, token};
pub(crate) use upstream::listen;

/// The time goes on without anybody waiting.
pub(crate) async fn later(seconds: u64) {
    pause();
    advance(Duration::from_secs(seconds)).await;
    resume();
}
