//! A server that tells what reached it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use http::{HeaderMap, Response};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::Status;
use tower::service_fn;

/// A server that answers every call with `answer` and tells the headers that came.
pub(crate) async fn listen(
    answer: impl Fn(usize) -> Status + Clone + Send + Sync + 'static,
) -> (String, mpsc::UnboundedReceiver<HeaderMap>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (seen, headers) = mpsc::unbounded_channel();
    let calls = Arc::new(AtomicUsize::new(0));
    let app = Router::new().fallback_service(service_fn(move |request: Request| {
        let _ = seen.send(request.headers().clone());
        let status = answer(calls.fetch_add(1, Ordering::SeqCst));
        let response: Response<axum::body::Body> = status.into_http();
        async { Ok::<_, Infallible>(response) }
    }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, headers)
}
