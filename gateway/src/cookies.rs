//! The gateway's cookies. They hold tickets, never a token; all have the prefix
//! `__Host-` (no other host or path can set them) and no script reads them.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

const SESSION: &str = "__Host-bionicpro-session";
const ATTEMPT_PREFIX: &str = "__Host-bionicpro-attempt-";
/// A ticket that is longer was not made by auth.
const MAX_TICKET_BYTES: usize = 512;
/// Sign-ins that one browser may have under way, in as many tabs. Their cookies
/// come with every request, so their number is bounded.
const MAX_ATTEMPTS: usize = 8;

/// The ticket of the browser's session, if it brings one.
pub(crate) fn session(headers: &HeaderMap) -> Option<&str> {
    ticket(headers, SESSION)
}

/// The ticket of one sign-in attempt, if this browser began it.
pub(crate) fn attempt<'a>(headers: &'a HeaderMap, attempt_id: &str) -> Option<&'a str> {
    ticket(headers, &attempt_name(attempt_id))
}

/// A cookie that keeps the session's ticket, for at most `lifetime`. `Lax`,
/// because `Strict` would be withheld on the way back from the identity provider.
pub(crate) fn keep_session(ticket: &str, lifetime: Duration) -> Option<HeaderValue> {
    keep(SESSION.to_owned(), ticket, lifetime)
}

/// A cookie that keeps the attempt's ticket until the sign-in returns.
pub(crate) fn keep_attempt(
    attempt_id: &str,
    ticket: &str,
    lifetime: Duration,
) -> Option<HeaderValue> {
    keep(attempt_name(attempt_id), ticket, lifetime)
}

/// Takes the session's cookie back.
pub(crate) fn drop_session() -> HeaderValue {
    HeaderValue::from_static(
        "__Host-bionicpro-session=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0",
    )
}

/// Takes an attempt's cookie back.
pub(crate) fn drop_attempt(attempt_id: &str) -> Option<HeaderValue> {
    keep_attempt(attempt_id, "", Duration::ZERO)
}

/// Takes back what exceeds the bound when one more attempt begins. Browsers
/// send older cookies first (RFC 6265, section 5.4).
pub(crate) fn drop_surplus_attempts(headers: &HeaderMap) -> Vec<HeaderValue> {
    let attempts: Vec<&str> = pairs(headers)
        .filter_map(|(name, _)| name.strip_prefix(ATTEMPT_PREFIX))
        .collect();
    let surplus = (attempts.len() + 1).saturating_sub(MAX_ATTEMPTS);
    attempts
        .into_iter()
        .take(surplus)
        .filter_map(drop_attempt)
        .collect()
}

fn attempt_name(attempt_id: &str) -> String {
    format!("{ATTEMPT_PREFIX}{attempt_id}")
}

fn keep(name: String, value: &str, lifetime: Duration) -> Option<HeaderValue> {
    let lifetime = cookie::time::Duration::try_from(lifetime).ok()?;
    Cookie::build((name, value))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(true)
        .path("/")
        .max_age(lifetime)
        .build()
        .to_string()
        .parse()
        .ok()
}

fn ticket<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    pairs(headers)
        .find_map(|(found, value)| (found == name).then_some(value))
        .filter(|ticket| (1..=MAX_TICKET_BYTES).contains(&ticket.len()))
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn browser(cookies: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, cookies.parse().unwrap())])
    }

    #[test]
    fn the_sessions_ticket_is_found_among_other_cookies() {
        let headers = browser("theme=dark; __Host-bionicpro-session=t1.s1; x");
        assert_eq!(session(&headers), Some("t1.s1"));
    }

    #[test]
    fn a_cookie_of_a_similar_name_is_not_the_session() {
        for other in [
            "bionicpro-session=t",
            "__Host-bionicpro-session2=t",
            "__host-bionicpro-session=t",
            "__Host-bionicpro-session",
        ] {
            assert_eq!(session(&browser(other)), None, "{other}");
        }
    }

    #[test]
    fn a_ticket_that_cannot_be_auths_is_none() {
        let long = format!("{SESSION}={}", "a".repeat(MAX_TICKET_BYTES + 1));
        assert_eq!(session(&browser(&long)), None);
        assert_eq!(session(&browser("__Host-bionicpro-session=")), None);
    }

    #[test]
    fn each_attempt_has_a_cookie_of_its_own() {
        let headers = browser("__Host-bionicpro-attempt-a=1; __Host-bionicpro-attempt-b=2");
        assert_eq!(attempt(&headers, "b"), Some("2"));
        assert_eq!(attempt(&headers, "c"), None);
    }

    #[test]
    fn a_kept_ticket_is_for_this_host_and_no_script() {
        let kept = keep_session("t1.s1", Duration::from_secs(60)).unwrap();
        assert_eq!(
            kept,
            "__Host-bionicpro-session=t1.s1; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60"
        );
    }

    #[test]
    fn the_oldest_attempts_make_room_for_a_new_one() {
        let cookies: Vec<String> = (0..9)
            .map(|number| format!("{ATTEMPT_PREFIX}{number}=t"))
            .collect();
        let dropped = drop_surplus_attempts(&browser(&cookies.join("; ")));
        assert_eq!(dropped.len(), 2);
        assert!(
            dropped[0]
                .to_str()
                .unwrap()
                .starts_with("__Host-bionicpro-attempt-0=;")
        );
        assert!(drop_surplus_attempts(&browser("__Host-bionicpro-attempt-a=1")).is_empty());
    }

    proptest! {
        #[test]
        fn no_cookie_header_makes_the_parser_panic(header in "[ -~]{0,200}") {
            let headers = browser(&header);
            session(&headers);
            drop_surplus_attempts(&headers);
        }
    }
}
