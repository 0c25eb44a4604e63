//! `GET /exports/…` where the CDN does not stand before the gateway, as in development: the link
//! goes on to it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::{StatusCode, Uri};

use super::Pages;

/// Only the path and query are the browser's; the origin is configured.
pub(super) async fn answer(State(pages): State<Arc<Pages>>, asked: Uri) -> Response {
    match (&pages.downloads_origin, asked.path_and_query()) {
        (Some(origin), Some(link)) => {
            Redirect::temporary(&format!("{origin}{link}")).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
