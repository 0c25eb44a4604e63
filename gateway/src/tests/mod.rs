//! A real gateway on a real socket, in front of services that behave as each
//! test needs it.
#![allow(clippy::unwrap_used)]

mod admission;
mod browser;
mod deadlines;
mod downloads;
mod fake;
mod files;
mod forwarding;
mod sign_in;
mod sockets;
mod traces;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bionicpro_mesh::client::{Channel, Credentials};
use bionicpro_mesh::identity::ServiceToken;
use bionicpro_proto::auth::v1::CheckSessionResponse;
use bionicpro_proto::policy::{Audience, Deadline, Idempotency, Policy};
use http::{HeaderName, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use prost::Message;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use self::browser::Browser;
use self::fake::{Body, Fake};
use crate::calls::{Calls, Upstreams};
use crate::door::Door;
use crate::origin::Origin;
use crate::pages::{self, Pages, SignInLimit};
use crate::security_headers::SecurityHeaders;
use crate::server;
use crate::sessions::Sessions;

/// Longer than any test.
const DRAIN: Duration = Duration::from_secs(60);
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const ORIGIN: &str = "http://localhost:3000";
const COOKIE: &str = "__Host-bionicpro-session=the-ticket";
const SIGN_INS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(3).unwrap();
const TOKEN: &str = "/token";
const DOWNLOADS: &str = "http://localhost:8090";
const SIGN_OUT_PAGE: &str = "http://idp/logout";
const UNARY: &str = "/bionicpro.reports.v1.Tested/Unary";
const STREAM: &str = "/bionicpro.reports.v1.Tested/Stream";
const WATCH: &str = "/bionicpro.reports.v1.Tested/Watch";
const INTERNAL: &str = "/bionicpro.reports.v1.Tested/Internal";

/// A gateway whose reports service and auth are fakes.
struct Gateway {
    browser: Browser,
    service: Option<Fake>,
    _auth: Fake,
    stop: DropGuard,
}

const fn policy(browser: bool, server_streaming: bool, deadline: Deadline) -> Policy {
    Policy {
        audiences: &[Audience::User],
        roles: &[],
        browser,
        step_up: false,
        deadline,
        idempotency: Idempotency::Unknown,
        server_streaming,
    }
}

fn policies(path: &str) -> Option<&'static Policy> {
    const BOUNDED: Deadline = Deadline::Bounded {
        default: Duration::from_secs(5),
        maximum: Duration::from_secs(10),
    };
    static TESTED: [Policy; 4] = [
        policy(true, false, BOUNDED),
        policy(true, true, BOUNDED),
        policy(true, true, Deadline::Unbounded),
        policy(false, false, BOUNDED),
    ];
    match path {
        UNARY => Some(&TESTED[0]),
        STREAM => Some(&TESTED[1]),
        WATCH => Some(&TESTED[2]),
        INTERNAL => Some(&TESTED[3]),
        _ => None,
    }
}

impl Gateway {
    /// Signed-in pages call a service that answers with what `service` makes of
    /// their requests.
    async fn before<A, R>(service: A) -> Self
    where
        A: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response<Body>> + Send + 'static,
    {
        let service = Fake::start(service).await;
        let mut gateway = Self::between(|_| signed_in(), service.address).await;
        gateway.service = Some(service);
        gateway
    }

    /// Auth answers with what `auth` makes of its requests; the service has an
    /// address at which there may be nothing.
    async fn between(auth: fn(&str) -> Response<Body>, service: SocketAddr) -> Self {
        Self::recording(1.0, auth, service).await
    }

    /// The same with this share of the traces begun by pages recorded.
    async fn recording(
        trace_ratio: f64,
        auth: fn(&str) -> Response<Body>,
        service: SocketAddr,
    ) -> Self {
        let auth = Fake::start(move |request: Request<Incoming>| async move {
            match request.uri().path() {
                TOKEN => fake::json(br#"{"access_token":"own","expires_in":3600}"#),
                path => auth(path),
            }
        })
        .await;
        let stop = CancellationToken::new();
        let listener = server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let auth_address = auth.address;
        let make_door = move || door(auth_address, service, trace_ratio);
        tokio::spawn(server::accept(listener, make_door, stop.clone(), DRAIN));
        Self {
            browser: Browser::at(address),
            service: None,
            _auth: auth,
            stop: stop.drop_guard(),
        }
    }
}

fn door(auth: SocketAddr, service: SocketAddr, trace_ratio: f64) -> Door {
    let origin = Origin::of(&ORIGIN.parse().unwrap()).unwrap();
    let token = ServiceToken::new(format!("http://{auth}{TOKEN}"), "gateway", "secret".into());
    let auth = format!("http://{auth}");
    let channel = Channel::new([auth], Credentials::Service(token)).unwrap();
    Door {
        calls: Arc::new(Calls {
            origin: origin.clone(),
            sessions: Sessions::new(&channel),
            trace_ratio,
            upstreams: Upstreams::new(
                policies,
                [("reports", service.to_string().parse().unwrap())],
            ),
        }),
        pages: pages::router(
            Pages {
                origin,
                sessions: Sessions::new(&channel),
                identity_provider_sign_out: SIGN_OUT_PAGE.to_owned(),
                downloads_origin: Some(DOWNLOADS.to_owned()),
                sign_in_limit: Arc::new(SignInLimit::per_minute(SIGN_INS_PER_MINUTE)),
            },
            &files::folder(),
        ),
        security_headers: SecurityHeaders::new(false),
    }
}

/// A service whose one answer the test writes.
async fn writing() -> (fake::Pen, Gateway) {
    let (pen, response) = fake::answer();
    let response = Arc::new(Mutex::new(Some(response)));
    let gateway = Gateway::before(move |_| {
        let response = response.lock().unwrap().take().unwrap();
        async { response }
    })
    .await;
    (pen, gateway)
}

/// What auth answers when it refuses or fails.
fn refused_by_auth(code: Code, reason: &str) -> Response<Body> {
    let details = ErrorDetails::with_error_info(reason, "bionicpro", []);
    let status = Status::with_error_details(code, "no", details);
    status.into_http::<Empty<_>>().map(fake::infallible)
}

fn signed_in() -> Response<Body> {
    let checked = CheckSessionResponse {
        access_token: "the-token".to_owned(),
        ..CheckSessionResponse::default()
    };
    fake::message(&checked.encode_to_vec())
}

fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}
