//! Cross-site request forgery: which requests prove that they come from the
//! application's own pages. A form or an image of another site can send the
//! cookie, but neither the custom header nor a matching Origin.

use http::header::ORIGIN;
use http::{HeaderMap, HeaderValue};
use url::Url;

const CSRF_HEADER: &str = "x-bionicpro-csrf";
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// The application's own origin.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    serialized: HeaderValue,
    secure: bool,
}

impl Origin {
    /// The origin of the address under which browsers reach the gateway; none
    /// when that is not an http or https address.
    pub(crate) fn of(public_url: &Url) -> Option<Self> {
        let secure = match public_url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let serialized = public_url.origin().ascii_serialization().parse().ok()?;
        Some(Self { serialized, secure })
    }

    /// Whether browsers reach the gateway by https.
    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether a request proves that it was sent by the application's own
    /// pages: the custom header, and whatever the browser says of the sender.
    /// A browser that says neither is refused.
    pub(crate) fn sent(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(ORIGIN);
        let site = headers.get(SEC_FETCH_SITE);
        headers.get(CSRF_HEADER).is_some_and(|value| value == "1")
            && (origin.is_some() || site.is_some())
            && origin.is_none_or(|origin| origin == self.serialized)
            && site.is_none_or(|site| site == "same-origin")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn sent(headers: &[(&'static str, &'static str)]) -> bool {
        let origin = Origin::of(&"http://localhost:3000/".parse().unwrap()).unwrap();
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        origin.sent(&headers)
    }

    const OWN: (&str, &str) = ("origin", "http://localhost:3000");
    const CSRF: (&str, &str) = (CSRF_HEADER, "1");

    #[test]
    fn the_applications_own_page_is_believed() {
        assert!(sent(&[CSRF, OWN]));
        assert!(sent(&[CSRF, (SEC_FETCH_SITE, "same-origin")]));
        assert!(sent(&[CSRF, OWN, (SEC_FETCH_SITE, "same-origin")]));
    }

    #[test]
    fn a_request_without_the_custom_header_is_refused() {
        assert!(!sent(&[OWN]));
        assert!(!sent(&[OWN, (CSRF_HEADER, "0")]));
    }

    #[test]
    fn another_origin_is_refused() {
        for foreign in [
            "http://localhost:3001",
            "https://localhost:3000",
            "http://localhost:3000.example",
            "null",
        ] {
            assert!(!sent(&[CSRF, ("origin", foreign)]), "{foreign}");
        }
    }

    #[test]
    fn another_site_is_refused_even_with_a_matching_origin() {
        for site in ["cross-site", "same-site", "none"] {
            assert!(!sent(&[CSRF, OWN, (SEC_FETCH_SITE, site)]), "{site}");
        }
    }

    #[test]
    fn a_sender_of_whom_nothing_is_said_is_refused() {
        assert!(!sent(&[CSRF]));
    }
}
