//! The application's files, as browsers get them.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http_body_util::BodyExt;

use super::{Gateway, fake, signed_in};

/// A built application: a page, and a file with a hash in its name.
pub(super) fn folder() -> PathBuf {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let name = format!("bionicpro-gateway-app-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(folder.join("assets")).unwrap();
        fs::write(folder.join("index.html"), "the page").unwrap();
        fs::write(folder.join("assets/app-1a2b.js"), "the script").unwrap();
        folder
    });
    FOLDER.clone()
}

async fn gateway() -> Gateway {
    Gateway::between(|_| signed_in(), fake::nowhere()).await
}

#[tokio::test]
async fn every_path_of_the_application_is_answered_with_its_page() {
    let gateway = gateway().await;
    for path in ["/", "/report", "/sign-in/failed?reason=SIGN_IN_REFUSED"] {
        let response = gateway.browser.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
        assert_eq!(response.headers()[CONTENT_TYPE], "text/html");
        assert!(response.headers().contains_key(CONTENT_SECURITY_POLICY));
        let page = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(page, "the page");
    }
}

#[tokio::test]
async fn a_file_with_a_hash_in_its_name_is_kept_for_ever() {
    let gateway = gateway().await;
    let response = gateway.browser.get("/assets/app-1a2b.js").await;
    let kept = response.headers()[CACHE_CONTROL].to_str().unwrap();
    assert!(kept.contains("immutable"), "{kept}");
}

#[tokio::test]
async fn a_missing_file_is_not_answered_with_the_page() {
    let gateway = gateway().await;
    for path in [
        "/assets/app-old.js",
        "/favicon.ico",
        "/../Cargo.toml",
        "/%2e%2e/etc/passwd.txt",
    ] {
        let response = gateway.browser.get(path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}
