//! The content types of grpc-web. tonic-web compares them byte for byte, while
//! browsers and proxies add parameters and vary the case.

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};

const BINARY: HeaderValue = HeaderValue::from_static("application/grpc-web+proto");
const TEXT: HeaderValue = HeaderValue::from_static("application/grpc-web-text+proto");

/// Brings the content type of a grpc-web request, and the one that it accepts,
/// into tonic-web's form. False when the request is not grpc-web.
pub(crate) fn normalise(headers: &mut HeaderMap) -> bool {
    let Some(content_type) = headers.get(CONTENT_TYPE).and_then(grpc_web) else {
        return false;
    };
    // A page that sends text can read only text.
    let accept = headers
        .get(ACCEPT)
        .and_then(grpc_web)
        .unwrap_or_else(|| content_type.clone());
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(ACCEPT, accept);
    true
}

fn grpc_web(value: &HeaderValue) -> Option<HeaderValue> {
    let value = value.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/grpc-web" | "application/grpc-web+proto" => Some(BINARY),
        "application/grpc-web-text" | "application/grpc-web-text+proto" => Some(TEXT),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn normalised(content_type: &str, accept: Option<&str>) -> Option<(HeaderValue, HeaderValue)> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        if let Some(accept) = accept {
            headers.insert(ACCEPT, accept.parse().unwrap());
        }
        normalise(&mut headers).then(|| (headers[CONTENT_TYPE].clone(), headers[ACCEPT].clone()))
    }

    #[test]
    fn parameters_and_case_are_dropped() {
        let (content_type, _) =
            normalised("Application/grpc-web+proto; charset=utf-8", None).unwrap();
        assert_eq!(content_type, BINARY);
    }

    #[test]
    fn text_is_answered_with_text_unless_the_page_accepts_otherwise() {
        let (_, accept) = normalised("application/grpc-web-text", Some("*/*")).unwrap();
        assert_eq!(accept, TEXT);
        let (_, accept) =
            normalised("application/grpc-web-text", Some("application/grpc-web")).unwrap();
        assert_eq!(accept, BINARY);
    }

    #[test]
    fn other_content_types_are_not_grpc_web() {
        for other in [
            "application/grpc",
            "application/json",
            "text/plain",
            "application/grpc-webx",
        ] {
            assert_eq!(normalised(other, None), None, "{other}");
        }
    }
}
