#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use http::{HeaderMap, Response, StatusCode};

use super::*;

const BYTES: &[u8] = b"hello";
/// SHA-256 of the bytes.
const DIGEST_OF_BYTES: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
const CONDITIONAL: &str = "PUT, unless it is there";

/// A store that answers what it is told to, and notes what it was asked.
#[derive(Clone, Default)]
struct Store {
    answers: Arc<Mutex<VecDeque<(StatusCode, HeaderMap)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Store {
    fn telling(answers: &[(StatusCode, &[(&'static str, &str)])]) -> Self {
        let answers = answers.iter().map(|(status, headers)| {
            let headers = headers
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
            (*status, headers.collect())
        });
        let store = Self::default();
        *store.answers.lock().unwrap() = answers.collect();
        store
    }

    async fn files(&self) -> Files {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        files_at(&url)
    }

    /// Stores the bytes and answers what the store was asked for that.
    async fn store(&self) -> Vec<String> {
        self.files().await.store(&FILE).await.unwrap();
        self.asked.lock().unwrap().clone()
    }
}

fn files_at(url: &str) -> Files {
    Files::new(&Settings {
        url: url.parse().unwrap(),
        region: "us-east-1".to_owned(),
        bucket: "exports".to_owned(),
        access_key: "key".to_owned(),
        secret_key: "secret".into(),
    })
    .unwrap()
}

const FILE: File<'_> = File {
    name: "name",
    file_name: "file.csv",
    content_type: "text/csv",
    bytes: Bytes::from_static(BYTES),
};

async fn answer(State(store): State<Store>, request: Request) -> Response<Body> {
    let condition = request.headers().get("if-none-match");
    let unless = condition
        .map(|_| ", unless it is there")
        .unwrap_or_default();
    let asked = format!("{}{unless}", request.method());
    store.asked.lock().unwrap().push(asked);
    let next = store.answers.lock().unwrap().pop_front();
    let (status, headers) = next.unwrap_or((StatusCode::IM_A_TEAPOT, HeaderMap::new()));
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

const STORED: (StatusCode, &[(&str, &str)]) = (StatusCode::OK, &[("etag", "\"1\"")]);
const IS_THERE: (StatusCode, &[(&str, &str)]) = (StatusCode::PRECONDITION_FAILED, &[]);
const GONE: (StatusCode, &[(&str, &str)]) = (StatusCode::NOT_FOUND, &[]);

fn found<'a>(
    headers: &'a [(&'static str, &'a str)],
) -> (StatusCode, &'a [(&'static str, &'a str)]) {
    (StatusCode::OK, headers)
}

fn headers(length: &'static str, digest: &'static str) -> [(&'static str, &'static str); 4] {
    [
        ("content-length", length),
        ("x-amz-meta-sha256", digest),
        ("etag", "\"1\""),
        ("last-modified", "Tue, 24 Nov 2026 20:00:00 GMT"),
    ]
}

#[tokio::test]
async fn a_file_that_is_there_is_looked_at_and_left() {
    let same = headers("5", DIGEST_OF_BYTES);
    let store = Store::telling(&[IS_THERE, found(&same)]);
    assert_eq!(store.store().await, [CONDITIONAL, "HEAD"]);
}

#[tokio::test]
async fn what_is_there_with_other_bytes_is_replaced() {
    for other in [
        headers("6", DIGEST_OF_BYTES),
        headers("5", "other"),
        headers("5", ""),
    ] {
        let store = Store::telling(&[IS_THERE, found(&other), STORED]);
        assert_eq!(store.store().await, [CONDITIONAL, "HEAD", "PUT"]);
    }
}

#[tokio::test]
async fn while_another_put_is_under_way_nothing_is_taken_for_stored() {
    let under_way = (StatusCode::CONFLICT, [].as_slice());
    let store = Store::telling(&[under_way, GONE, STORED]);
    assert_eq!(store.store().await, [CONDITIONAL, "HEAD", CONDITIONAL]);
}

#[tokio::test]
async fn a_store_that_never_takes_the_file_is_given_up() {
    let conflicts = [(StatusCode::CONFLICT, [].as_slice()), GONE].repeat(100);
    let hanging = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", hanging.local_addr().unwrap());
    let files = [Store::telling(&conflicts).files().await, files_at(&address)];
    for mut files in files {
        files.stored_within = Duration::from_secs(1);
        let stored = timeout(Duration::from_secs(5), files.store(&FILE)).await;
        assert!(matches!(stored, Ok(Err(Error::FilesLate))), "{stored:?}");
    }
}

#[tokio::test]
async fn only_a_store_that_answers_says_that_a_file_is_gone() {
    let lacks = async |answer| Store::telling(&[answer]).files().await.lacks("name").await;
    assert!(lacks(GONE).await);
    let same = headers("5", DIGEST_OF_BYTES);
    assert!(!lacks(found(&same)).await);
    assert!(!lacks((StatusCode::FORBIDDEN, &[])).await);
}
