//! What pages meet, as release builds: the gateway, auth with the stack's Redis and
//! Keycloak, and a person's session.

use std::net::SocketAddr;

use anyhow::Context;
use bionicpro_tests::browser::Browser;
use bionicpro_tests::stack;
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::load::{Check, Load};
use crate::process::{self, Process};
use crate::services::{self, Setting};

const HOST: [u8; 4] = [127, 0, 0, 1];

/// Ports of a benchmark, above those of the stacks.
#[derive(Clone, Copy)]
pub(crate) enum Port {
    Gateway = 24000,
    Auth,
    Backend,
    TonicWeb,
    Envoy,
    OAuth2Proxy,
    Cdc,
    Ingest,
    Reports,
    Downloads,
    Nginx,
    NginxStatic,
    NginxUncheckedCached,
    NginxUncheckedStatic,
}

impl Port {
    pub(crate) fn address(self) -> SocketAddr {
        SocketAddr::from((HOST, self as u16))
    }
}

/// The gateway in front of a service, and auth.
pub(crate) struct System {
    pub(crate) gateway: Process,
    pub(crate) auth: Process,
}

impl System {
    /// Starts both; `further` is what else the gateway is told.
    pub(crate) fn start(behind: Port, further: &[Setting]) -> anyhow::Result<Self> {
        let stack = stack();
        let auth = services::auth()?.start()?;
        let url = |port: Port| format!("http://{}", port.address());
        let public_url = stack.gateway.public_url.to_string();
        let secret = stack.keycloak.clients.gateway.secret.clone();
        let own = [
            ("BIONICPRO_PUBLIC_URL", public_url),
            ("BIONICPRO_APP_DIR", ".".to_owned()),
            ("BIONICPRO_AUTH_URL", url(Port::Auth)),
            ("BIONICPRO_REPORTS_URL", url(behind)),
            ("BIONICPRO_INGEST_URL", url(behind)),
            ("BIONICPRO_CDC_URL", url(behind)),
            ("BIONICPRO_CLIENT_SECRET", secret),
        ];
        let settings = [&services::basics()[..], &own, further].concat();
        let gateway = Process::of_our_own(process::GATEWAY, Port::Gateway.address(), &settings)?;
        Ok(Self { gateway, auth })
    }
}

/// Signs a person in through the stack and answers their session's ticket: the
/// measured auth has the same Redis and the same keys.
pub(crate) fn session_ticket() -> anyhow::Result<String> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let mut browser = Browser::new(stack());
        browser.sign_in(stack().user("prothetic1"), "/").await?;
        let ticket = browser.session_ticket().context("no session's cookie")?;
        Ok(ticket.to_owned())
    })
}

/// Calls a method as the application's pages do.
pub(crate) fn page(
    address: SocketAddr,
    path: &str,
    session_ticket: &str,
    check: Check,
) -> anyhow::Result<Load> {
    let origin = stack().gateway.public_url.origin().ascii_serialization();
    let cookie = format!("__Host-bionicpro-session={session_ticket}");
    let headers = HeaderMap::from_iter([
        (ORIGIN, HeaderValue::try_from(origin)?),
        (COOKIE, HeaderValue::try_from(cookie)?),
        (
            CONTENT_TYPE,
            HeaderValue::from_static("application/grpc-web+proto"),
        ),
        (
            HeaderName::from_static("x-bionicpro-csrf"),
            HeaderValue::from_static("1"),
        ),
        (
            HeaderName::from_static("x-grpc-web"),
            HeaderValue::from_static("1"),
        ),
        (
            http::header::HOST,
            HeaderValue::try_from(address.to_string())?,
        ),
    ]);
    Ok(Load {
        address,
        method: Method::POST,
        path: path.to_owned(),
        headers,
        body: empty_message(),
        check,
    })
}

/// The frame of a message without content.
fn empty_message() -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_bytes(0, 5);
    frame.freeze()
}
