//! What the CDN is told, and where the gateway leads a link.

use std::net::SocketAddr;
use std::sync::Arc;

use bionicpro_mesh::client::{Channel, Credentials};
use bionicpro_mesh::identity::ServiceToken;
use bionicpro_proto::reports::v1::{AuthorizeDownloadRequest, AuthorizeDownloadResponse};
use http::header::{AUTHORIZATION, LOCATION};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use prost::Message;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::browser::Browser;
use super::fake::{self, Body, Fake};
use super::{DOWNLOADS, DRAIN, Gateway, TOKEN, refused_by_auth as refused, signed_in};
use crate::downloads::{self, Downloads};
use crate::server;

const LINK: &str = "/exports/name/file.csv?expires=1&signature=s";

/// The listener of the CDN, before fakes of auth and reports.
struct Door {
    browser: Browser,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
    _fakes: [Fake; 2],
}

impl Door {
    async fn between<A, R>(auth: fn() -> Response<Body>, reports: A) -> Self
    where
        A: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Response<Body>> + Send + 'static,
    {
        let auth = Fake::start(move |request: Request<Incoming>| async move {
            match request.uri().path() {
                TOKEN => fake::json(br#"{"access_token":"own","expires_in":3600}"#),
                _ => auth(),
            }
        })
        .await;
        let reports = Fake::start(reports).await;
        let listener = server::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let browser = Browser::at(listener.local_addr().unwrap()).with("x-original-uri", LINK);
        let stop = CancellationToken::new();
        let (at, of) = (auth.address, reports.address);
        let serving = downloads::serve(listener, move || asking(at, of), stop.clone(), DRAIN);
        Self {
            browser,
            stop,
            serving: tokio::spawn(serving),
            _fakes: [auth, reports],
        }
    }
}

fn asking(auth: SocketAddr, reports: SocketAddr) -> Downloads {
    let token = ServiceToken::new(format!("http://{auth}{TOKEN}"), "gateway", "secret".into());
    let auth = Channel::new([format!("http://{auth}")], Credentials::Service(token)).unwrap();
    let reports = Channel::new([format!("http://{reports}")], Credentials::OfEachCall).unwrap();
    Downloads::new(&auth, reports, 1.0)
}

async fn granting(request: Request<Incoming>) -> Response<Body> {
    assert_eq!(request.headers()[AUTHORIZATION], "Bearer the-token");
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let asked = AuthorizeDownloadRequest::decode(&body[5..]).unwrap();
    assert_eq!(asked.path_and_query, LINK);
    let granted = AuthorizeDownloadResponse {
        origin_path_and_query: "/exports/name?X-Amz-Signature=x".to_owned(),
    };
    fake::message(&granted.encode_to_vec())
}

/// The status, and what it means beside it.
async fn answered(browser: &Browser) -> (StatusCode, String) {
    let answer = browser.get("/authorize").await;
    let meaning = answer.headers().get("x-download-status");
    let meaning = meaning.map(|it| it.to_str().unwrap().to_owned());
    (answer.status(), meaning.unwrap_or_default())
}

#[tokio::test]
async fn the_cdn_learns_where_the_file_lies_by_the_token_of_the_session() {
    let door = Door::between(signed_in, granting).await;
    let answer = door.browser.get("/authorize").await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        answer.headers()["x-origin-uri"],
        "/exports/name?X-Amz-Signature=x"
    );
}

#[tokio::test]
async fn a_refusal_says_what_it_means() {
    for (code, reason, meaning) in [
        (Code::PermissionDenied, "EXPORT_FOREIGN", "403"),
        (Code::PermissionDenied, "EXPORT_LINK_INVALID", "403"),
        (Code::NotFound, "EXPORT_NOT_FOUND", "404"),
        (Code::FailedPrecondition, "EXPORT_LINK_EXPIRED", "410"),
        (Code::Unavailable, "DEPENDENCY_UNAVAILABLE", "503"),
        (Code::Internal, "INTERNAL", "503"),
    ] {
        let door = Door::between(signed_in, move |_| async move { refused(code, reason) }).await;
        let expected = (StatusCode::FORBIDDEN, meaning.to_owned());
        assert_eq!(answered(&door.browser).await, expected, "{reason}");
    }
}

#[tokio::test]
async fn without_a_session_reports_is_not_asked() {
    let never = |_| async { panic!("asked") };
    let door = Door::between(signed_in, never).await;
    let nobody = door.browser.clone().without("cookie");
    assert_eq!(
        answered(&nobody).await,
        (StatusCode::UNAUTHORIZED, "401".to_owned())
    );

    let ended = || refused(Code::Unauthenticated, "SESSION_NOT_FOUND");
    let door = Door::between(ended, never).await;
    assert_eq!(
        answered(&door.browser).await,
        (StatusCode::UNAUTHORIZED, "401".to_owned())
    );

    let away = || refused(Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    let door = Door::between(away, never).await;
    assert_eq!(
        answered(&door.browser).await,
        (StatusCode::FORBIDDEN, "503".to_owned())
    );
}

#[tokio::test]
async fn an_answer_under_way_ends_before_the_listener_stops() {
    let (asked, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (signal, wait) = (asked.clone(), go.clone());
    let waiting = move |request| {
        let (signal, wait) = (signal.clone(), wait.clone());
        async move {
            signal.notify_one();
            wait.notified().await;
            granting(request).await
        }
    };
    let door = Door::between(signed_in, waiting).await;
    let browser = door.browser.clone();
    let answer = tokio::spawn(async move { browser.get("/authorize").await.status() });
    asked.notified().await;
    door.stop.cancel();
    go.notify_one();
    assert_eq!(answer.await.unwrap(), StatusCode::NO_CONTENT);
    door.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_link_goes_on_to_the_cdn_and_nowhere_else() {
    let gateway = Gateway::between(|_| signed_in(), fake::nowhere()).await;
    let answer = gateway.browser.get(LINK).await;
    assert_eq!(answer.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(answer.headers()[LOCATION], format!("{DOWNLOADS}{LINK}"));
    let other = gateway.browser.get("/exports//evil.example/").await;
    let location = other.headers()[LOCATION].to_str().unwrap();
    assert!(
        location.starts_with(&format!("{DOWNLOADS}/exports/")),
        "{location}"
    );
}
