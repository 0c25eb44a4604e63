//! The system under measurement, as release builds: the gateway, auth with the
//! stack's Redis and Keycloak, and a person's session.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::Context;
use bionicpro_tests::browser::Browser;
use bionicpro_tests::stack;
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};

use crate::load::Load;
use crate::process::{self, Process};
use crate::release;

const HOST: [u8; 4] = [127, 0, 0, 1];
/// The share of calls whose trace is recorded, as the goals assume.
const TRACE_RATIO: &str = "0.1";

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
}

impl Port {
    pub(crate) fn address(self) -> SocketAddr {
        SocketAddr::from((HOST, self as u16))
    }
}

/// The gateway in front of the backend, and auth.
pub(crate) struct System {
    pub(crate) gateway: Process,
    pub(crate) auth: Process,
}

impl System {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let stack = stack();
        let environment = || ("BIONICPRO_ENVIRONMENT", "development".to_owned());
        let issuer = || ("BIONICPRO_ISSUER", stack.keycloak.issuer.to_string());
        let ratio = || ("BIONICPRO_TRACE_RATIO", TRACE_RATIO.to_owned());
        let public_url = || ("BIONICPRO_PUBLIC_URL", stack.gateway.public_url.to_string());
        let mut command = Command::new(release::build("bionicpro-auth")?);
        command.arg("serve").envs([
            environment(),
            issuer(),
            ratio(),
            public_url(),
            ("BIONICPRO_LISTEN", Port::Auth.address().to_string()),
            ("BIONICPRO_REDIS_URL", stack.redis.url.to_string()),
            ("BIONICPRO_CLIENT_ID", stack.keycloak.clients.web.id.clone()),
            (
                "BIONICPRO_CLIENT_SECRET",
                stack.keycloak.clients.web.secret.clone(),
            ),
            ("BIONICPRO_SESSION_KEYS", stack.auth.session_keys.clone()),
        ]);
        let auth = Process::start(&mut command, Port::Auth.address())?;
        let url = |port: Port| format!("http://{}", port.address());
        let gateway = Process::of_our_own(
            process::GATEWAY,
            Port::Gateway.address(),
            &[
                environment(),
                issuer(),
                ratio(),
                public_url(),
                ("BIONICPRO_APP_DIR", ".".to_owned()),
                ("BIONICPRO_AUTH_URL", url(Port::Auth)),
                ("BIONICPRO_REPORTS_URL", url(Port::Backend)),
                ("BIONICPRO_INGEST_URL", url(Port::Backend)),
                ("BIONICPRO_CDC_URL", url(Port::Backend)),
                (
                    "BIONICPRO_CLIENT_SECRET",
                    stack.keycloak.clients.gateway.secret.clone(),
                ),
            ],
        )?;
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
    path: &'static str,
    session_ticket: &str,
    check: fn(&Response<()>, &[u8]) -> anyhow::Result<()>,
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
        path,
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
