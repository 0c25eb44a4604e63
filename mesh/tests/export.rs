//! Telemetry reaches its collector also when the program runs on one thread and ends at once.
//! Telemetry is started once a process, so this test has one of its own.

#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::thread;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use bionicpro_mesh::telemetry::{self, Call, Settings};
use http::Response;
use http_body_util::BodyExt as _;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tonic::{Code, Status};
use tower::service_fn;

/// A collector on a thread of its own; tells the path and the bytes of what it is sent.
fn collector() -> (String, mpsc::UnboundedReceiver<(String, Vec<u8>)>) {
    let (sent, received) = mpsc::unbounded_channel();
    let (ready, address) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            ready.send(listener.local_addr().unwrap()).unwrap();
            let app = Router::new().fallback_service(service_fn(move |request: Request| {
                let sent = sent.clone();
                async move {
                    let path = request.uri().path().to_owned();
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let _ = sent.send((path, body.to_vec()));
                    Ok::<_, Infallible>(answer())
                }
            }));
            axum::serve(listener, app).await.unwrap();
        });
    });
    (format!("http://{}", address.recv().unwrap()), received)
}

/// An empty message and the status OK.
fn answer() -> Response<Body> {
    let frames = Body::from(vec![0_u8; 5]).with_trailers(async {
        let response = Status::new(Code::Ok, "").into_http::<()>();
        Some(Ok(response.into_parts().0.headers))
    });
    let response = Response::builder().header("content-type", "application/grpc");
    response.body(Body::new(frames)).unwrap()
}

#[tokio::test]
async fn spans_and_metrics_are_exported_before_the_program_ends() {
    let (endpoint, mut received) = collector();
    let settings = Settings {
        log: "off".to_owned(),
        otlp_endpoint: Some(endpoint.parse().unwrap()),
        trace_ratio: 1.0,
    };
    let telemetry = telemetry::start("bionicpro-test", &settings).unwrap();
    tracing::info_span!(target: "clickhouse", "of-a-library").in_scope(|| ());
    Call::client("bionicpro.test.v1.TestService/Say").end(Code::Unavailable);
    drop(telemetry);
    let mut exports = Vec::new();
    while let Ok(export) = received.try_recv() {
        exports.push(export);
    }
    let body_of = |path: &str| {
        let export = exports.iter().find(|(it, _)| it.contains(path));
        String::from_utf8_lossy(&export.expect(path).1).into_owned()
    };
    let (traces, metrics) = (
        body_of("TraceService/Export"),
        body_of("MetricsService/Export"),
    );
    for text in [
        "bionicpro-test",
        "bionicpro.test.v1.TestService/Say",
        "UNAVAILABLE",
    ] {
        assert!(traces.contains(text) && metrics.contains(text), "{text}");
    }
    assert!(metrics.contains("rpc.client.call.duration"));
    assert!(!traces.contains("of-a-library"));
}
