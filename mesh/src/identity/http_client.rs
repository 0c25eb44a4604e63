//! The HTTP client for the identity provider: it follows no redirect and waits for nobody long.

use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(5);

/// A client over the one TLS provider of the mesh.
pub(super) fn new() -> reqwest::Client {
    // A second installation changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .build()
        .expect("a client without files or names to resolve can be built")
}
