//! The application's files. Those with a hash in their name never change; every
//! other is asked for again each time, so that a new version is seen at once.

use std::convert::Infallible;
use std::path::Path;

use axum::Router;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Request, StatusCode};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_http::services::{ServeDir, ServeFile};
use tower_http::set_header::SetResponseHeaderLayer;

/// Where the build puts files whose names carry a hash of their content.
const HASHED: &str = "assets";
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// Serves the application's folder; its own paths, which are no files, are
/// answered with its page.
pub(super) fn router(dir: &Path) -> Router {
    let page = ServeFile::new(dir.join("index.html"));
    let page = service_fn(move |request: Request<_>| {
        let page = page.clone();
        async move {
            Ok::<_, Infallible>(if names_a_file(request.uri().path()) {
                StatusCode::NOT_FOUND.into_response()
            } else {
                page.oneshot(request).await.into_response()
            })
        }
    });
    Router::new()
        .nest_service(&format!("/{HASHED}"), files(&dir.join(HASHED)))
        .layer(map_response(keep_for_ever))
        .fallback_service(
            ServiceBuilder::new()
                .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, ASK_AGAIN))
                .service(files(dir).fallback(page)),
        )
}

async fn keep_for_ever(mut response: Response) -> Response {
    // A file that is missing today may come with the next version.
    if response.status().is_success() {
        response.headers_mut().insert(CACHE_CONTROL, FOR_EVER);
    }
    response
}

fn files(dir: &Path) -> ServeDir {
    ServeDir::new(dir).precompressed_br().precompressed_gzip()
}

/// A path of the application has no extension; a missing file has one, and must
/// not be answered with a page.
fn names_a_file(path: &str) -> bool {
    path.rsplit('/')
        .next()
        .is_some_and(|last| last.contains('.'))
}
