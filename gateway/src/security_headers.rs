//! The headers that tell browsers what our pages may do.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Scripts and styles only from our own files, nothing inline: the app is made
/// for it, and its browser suite fails on a violation. The hash is that of the
/// style element in `pages/*.html`, which stand alone when there is no app.
const POLICY: &str = "default-src 'self'; \
    script-src 'self'; \
    style-src 'self' 'sha256-xrGZ5LCbVRSPWPMEZTFfup+L5oELwg7PRQWSjHxMIaM='; \
    img-src 'self' data:; \
    connect-src 'self'; \
    object-src 'none'; \
    base-uri 'none'; \
    form-action 'self'; \
    frame-ancestors 'none'";

const NO_SNIFFING: HeaderValue = HeaderValue::from_static("nosniff");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The headers of every answer.
pub(crate) struct SecurityHeaders {
    page: Vec<(HeaderName, HeaderValue)>,
}

impl SecurityHeaders {
    /// Pages that are reached by https ask browsers to keep to it.
    pub(crate) fn new(secure: bool) -> Self {
        let mut page = vec![
            (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
            (X_CONTENT_TYPE_OPTIONS, NO_SNIFFING),
            // Not `no-referrer`: it makes browsers send `Origin: null` with our own POSTs.
            (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                HeaderValue::from_static("same-origin"),
            ),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("same-origin"),
            ),
            (
                HeaderName::from_static("permissions-policy"),
                HeaderValue::from_static(
                    "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
                ),
            ),
        ];
        if secure {
            page.push((
                STRICT_TRANSPORT_SECURITY,
                HeaderValue::from_static("max-age=31536000; includeSubDomains"),
            ));
        }
        Self { page }
    }

    /// On a page, a redirect or a file.
    pub(crate) fn on_page(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.page {
            headers.insert(name.clone(), value.clone());
        }
    }

    /// On the answer to a call, which no browser shows as a page.
    pub(crate) fn on_call(&self, headers: &mut HeaderMap) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFFING);
        headers.insert(CACHE_CONTROL, NO_STORE);
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn page(secure: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        SecurityHeaders::new(secure).on_page(&mut headers);
        headers
    }

    #[test]
    fn no_page_runs_an_inline_script_or_stands_in_a_frame() {
        let policy = page(false)[CONTENT_SECURITY_POLICY].clone();
        let policy = policy.to_str().unwrap_or_default();
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }

    #[test]
    fn the_gateways_own_pages_may_have_their_style() {
        for page in [
            include_str!("pages/unavailable.html"),
            include_str!("pages/too_many.html"),
        ] {
            let (_, style) = page.split_once("<style>").unwrap_or_default();
            let (style, _) = style.split_once("</style>").unwrap_or_default();
            let hash = ring::digest::digest(&ring::digest::SHA256, style.as_bytes());
            let source = format!("'sha256-{}'", STANDARD.encode(hash));
            assert!(POLICY.contains(&source), "{source}");
        }
    }

    #[test]
    fn only_a_gateway_reached_by_https_asks_browsers_to_keep_to_it() {
        assert!(page(true).contains_key(STRICT_TRANSPORT_SECURITY));
        assert!(!page(false).contains_key(STRICT_TRANSPORT_SECURITY));
    }
}
