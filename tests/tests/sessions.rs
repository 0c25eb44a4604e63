//! Sign-in and sessions by way of the gateway's and Keycloak's own pages: who
//! gets in, what opens nothing, and that signing out is out everywhere.
#![allow(clippy::unwrap_used)]

use bionicpro_tests::browser::Browser;
use bionicpro_tests::stack;
use http::StatusCode;
use tonic::Code;
use url::Url;

async fn signed_in() -> Browser<'static> {
    Browser::signed_in(stack(), "prothetic1").await.unwrap()
}

async fn assert_signed_in(browser: &Browser<'_>) {
    assert_eq!(browser.me().await.unwrap().message().username, "prothetic1");
}

async fn assert_signed_out(browser: &Browser<'_>) {
    let answer = browser.me().await.unwrap();
    assert_eq!(answer.status.code(), Code::Unauthenticated);
    assert_eq!(answer.reason(), "SESSION_NOT_FOUND");
}

/// The callback that Keycloak sends the browser to, not visited yet.
async fn callback(browser: &mut Browser<'_>) -> Url {
    let page = browser.begin_sign_in("/", "en").await.unwrap();
    let user = stack().user("prothetic1");
    browser.authenticate(&page, user).await.unwrap()
}

/// The address with another value of a parameter.
fn with(address: &Url, name: &str, value: &str) -> Url {
    let others = address.query_pairs().filter(|(found, _)| found != name);
    let others: Vec<_> = others
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let mut changed = address.clone();
    changed
        .query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair(name, value);
    changed
}

fn parameter(address: &Url, name: &str) -> String {
    let mut pairs = address.query_pairs();
    pairs
        .find_map(|(found, value)| (found == name).then(|| value.into_owned()))
        .unwrap()
}

async fn assert_fails(browser: &mut Browser<'_>, callback: &Url, reason: &str) {
    let landed = browser.redirected_by(callback).await.unwrap();
    let expected = format!("/sign-in/failed?reason={reason}");
    assert_eq!(landed, stack().gateway.public_url.join(&expected).unwrap());
}

#[tokio::test]
async fn a_person_who_signs_in_lands_where_they_wanted_and_is_known() {
    let mut browser = Browser::new(stack());
    let user = stack().user("prothetic1");
    let landed = browser.sign_in(user, "/report?period=week").await.unwrap();
    assert_eq!(
        landed,
        stack()
            .gateway
            .public_url
            .join("/report?period=week")
            .unwrap()
    );
    let me = browser.me().await.unwrap().message();
    assert_eq!(me.username, user.username);
    assert_eq!(me.customer_id, user.customer_id.unwrap().to_string());
    assert_eq!(me.roles, ["prothetic_user"]);
}

#[tokio::test]
async fn the_sign_in_page_speaks_the_language_of_the_application() {
    for locale in ["en", "ru"] {
        let mut browser = Browser::new(stack());
        let address = browser.begin_sign_in("/", locale).await.unwrap();
        let page = browser.open(&address).await.unwrap();
        assert!(
            page.text.contains(&format!("lang=\"{locale}\"")),
            "{locale}"
        );
    }
}

/// Keycloak ends a session whose code is redeemed twice: that the session still
/// lives, there too, proves that it was redeemed once.
#[tokio::test]
async fn a_callback_that_is_asked_for_again_leads_to_the_same_session() {
    let mut browser = Browser::new(stack());
    let callback = callback(&mut browser).await;
    let (mut reloaded, mut late) = (browser.clone(), browser.clone());
    let (first, second) = tokio::join!(
        browser.redirected_by(&callback),
        reloaded.redirected_by(&callback)
    );
    assert_eq!(first.unwrap(), second.unwrap());
    assert!(browser.session_ticket().is_some());
    assert_eq!(browser.session_ticket(), reloaded.session_ticket());
    late.redirected_by(&callback).await.unwrap();
    assert_eq!(browser.session_ticket(), late.session_ticket());
    assert_signed_in(&browser).await;
    let address = browser.begin_sign_in("/", "en").await.unwrap();
    assert!(browser.open(&address).await.is_err(), "Keycloak knows them");
}

#[tokio::test]
async fn whoever_signed_out_does_not_come_back_in_by_an_old_callback() {
    let mut browser = Browser::new(stack());
    let callback = callback(&mut browser).await;
    let mut copy = browser.clone();
    browser.redirected_by(&callback).await.unwrap();
    browser.sign_out().await.unwrap();
    assert_fails(&mut copy, &callback, "SIGN_IN_ATTEMPT_INVALID").await;
    assert!(copy.session_ticket().is_none());
}

#[tokio::test]
async fn a_forged_state_signs_nobody_in_and_uses_nothing_up() {
    let mut browser = Browser::new(stack());
    let callback = callback(&mut browser).await;
    let state = parameter(&callback, "state");
    let (attempt, rest) = state.split_once('.').unwrap();
    let cut = &state[..state.len() - 1];
    let replaced = format!("{attempt}.{}", "A".repeat(rest.len()));
    for forged in [cut, &replaced, attempt, ""] {
        let forged = with(&callback, "state", forged);
        assert_fails(&mut browser, &forged, "SIGN_IN_ATTEMPT_INVALID").await;
    }
    browser.redirected_by(&callback).await.unwrap();
    assert_signed_in(&browser).await;
}

#[tokio::test]
async fn another_browser_cannot_complete_a_sign_in_and_uses_nothing_up() {
    let mut browser = Browser::new(stack());
    let callback = callback(&mut browser).await;
    let mut other = Browser::new(stack());
    other.begin_sign_in("/", "en").await.unwrap();
    assert_fails(&mut other, &callback, "SIGN_IN_ATTEMPT_INVALID").await;
    assert!(other.session_ticket().is_none());
    browser.redirected_by(&callback).await.unwrap();
    assert_signed_in(&browser).await;
}

#[tokio::test]
async fn an_answer_of_another_issuer_signs_nobody_in() {
    let mut browser = Browser::new(stack());
    let callback = callback(&mut browser).await;
    let foreign = with(&callback, "iss", "http://evil.example/realms/bionicpro");
    assert_fails(&mut browser, &foreign, "SIGN_IN_ANSWER_INVALID").await;
    assert!(browser.session_ticket().is_none());
}

#[tokio::test]
async fn a_code_that_keycloak_did_not_issue_signs_nobody_in() {
    let mut browser = Browser::new(stack());
    let callback = callback(&mut browser).await;
    let forged = with(&callback, "code", "forged");
    assert_fails(&mut browser, &forged, "SIGN_IN_REFUSED").await;
    assert!(browser.session_ticket().is_none());
}

#[tokio::test]
async fn two_tabs_that_sign_in_at_once_do_not_disturb_each_other() {
    let mut browser = Browser::new(stack());
    let first = callback(&mut browser).await;
    let second = callback(&mut browser).await;
    browser.redirected_by(&first).await.unwrap();
    assert_signed_in(&browser).await;
    browser.redirected_by(&second).await.unwrap();
    assert_signed_in(&browser).await;
}

#[tokio::test]
async fn a_changed_or_cut_ticket_opens_nothing_and_ends_nothing() {
    let browser = signed_in().await;
    let ticket = browser.session_ticket().unwrap();
    let middle = ticket.len() / 2;
    let changed = if &ticket[middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    let changed = format!("{}{changed}{}", &ticket[..middle], &ticket[middle + 1..]);
    for forged in [
        changed.as_str(),
        &ticket[..ticket.len() - 1],
        "s1.",
        "forged",
    ] {
        let mut other = browser.clone();
        other.set_session_ticket(forged);
        assert_signed_out(&other).await;
        other.set_session_ticket(forged);
        other.sign_out().await.unwrap();
    }
    assert_signed_in(&browser).await;
}

#[tokio::test]
async fn signing_in_again_gives_a_new_session_and_ends_the_old_one() {
    let mut browser = signed_in().await;
    let old = browser.clone();
    let callback = callback(&mut browser).await;
    browser.redirected_by(&callback).await.unwrap();
    assert_ne!(browser.session_ticket(), old.session_ticket());
    assert_signed_out(&old).await;
    assert_signed_in(&browser).await;
}

#[tokio::test]
async fn signing_out_ends_the_session_here_and_at_keycloak() {
    let mut browser = signed_in().await;
    let before = browser.clone();
    let answer = browser.sign_out().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert!(browser.session_ticket().is_none());
    assert_signed_out(&before).await;
    // Keycloak's own cookies are still there, but it asks for the password again.
    let address = browser.begin_sign_in("/", "en").await.unwrap();
    let page = browser.open(&address).await.unwrap();
    assert!(page.text.contains("kc-form-login"), "{}", page.address);
}

#[tokio::test]
async fn while_signed_in_keycloak_does_not_ask_for_the_password_again() {
    let mut browser = signed_in().await;
    let address = browser.begin_sign_in("/", "en").await.unwrap();
    assert!(
        browser.open(&address).await.is_err(),
        "it returns without a page"
    );
}
