//! A browser without a screen: follows redirects, keeps cookies and fills in
//! Keycloak's sign-in form. It takes `Secure` cookies over plain HTTP from
//! localhost, as Chromium does and HTTP clients do not.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use bionicpro_proto::auth::v1::{GetMeRequest, GetMeResponse};
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use reqwest::Response;
use url::Url;

use crate::grpc_web::Answer;
use crate::topology::User;
use crate::{GrpcWeb, Topology};

/// The method that tells who is signed in.
pub const GET_ME: &str = "/bionicpro.auth.v1.AccountService/GetMe";
const SESSION_COOKIE: &str = "__Host-bionicpro-session";
const ATTEMPT_COOKIES: &str = "__Host-bionicpro-attempt-";
/// More redirects than any sign-in has.
const MAX_REDIRECTS: usize = 10;

/// One browser; a clone has the same cookies. Everything that it speaks to is on
/// localhost, where cookies know no port: as in a real one, the gateway's also go
/// to Keycloak.
#[derive(Clone)]
pub struct Browser<'a> {
    stack: &'a Topology,
    http: reqwest::Client,
    cookies: BTreeMap<Name, String>,
}

/// A cookie's name, and the path below which it is sent.
type Name = (String, String);

/// A page that was shown.
#[derive(Debug)]
pub struct Page {
    /// Its address after all redirects.
    pub address: Url,
    /// Its HTTP status.
    pub status: StatusCode,
    /// Its text.
    pub text: String,
}

/// Where following an address ended.
enum Followed {
    Page(Page),
    /// A redirect to the address, which was not followed.
    Callback(Url),
}

impl<'a> Browser<'a> {
    /// A browser that nobody has used.
    #[must_use]
    pub fn new(stack: &'a Topology) -> Self {
        Self {
            stack,
            http: crate::http(),
            cookies: BTreeMap::new(),
        }
    }

    /// A browser in which a person of the stack has signed in.
    ///
    /// # Errors
    /// As [`Self::sign_in`].
    pub async fn signed_in(stack: &'a Topology, username: &str) -> anyhow::Result<Self> {
        let mut browser = Self::new(stack);
        browser.sign_in(stack.user(username), "/").await?;
        Ok(browser)
    }

    /// Signs a person in by way of the gateway's and Keycloak's pages; answers
    /// where they land.
    ///
    /// # Errors
    /// When a page on the way is not the expected one.
    pub async fn sign_in(&mut self, user: &User, return_to: &str) -> anyhow::Result<Url> {
        let authorization = self.begin_sign_in(return_to, "en").await?;
        let callback = self.authenticate(&authorization, user).await?;
        self.redirected_by(&callback).await
    }

    /// Asks the gateway to begin a sign-in; answers Keycloak's page.
    ///
    /// # Errors
    /// When the gateway does not redirect.
    pub async fn begin_sign_in(&mut self, return_to: &str, locale: &str) -> anyhow::Result<Url> {
        let mut address = self.stack.gateway.public_url.join("/auth/sign-in")?;
        address
            .query_pairs_mut()
            .append_pair("return_to", return_to)
            .append_pair("locale", locale);
        self.redirected_by(&address).await
    }

    /// Opens Keycloak's page and fills in the form, unless Keycloak knows who it
    /// is; answers the callback that it sends the browser to, unvisited.
    ///
    /// # Errors
    /// When Keycloak shows another page or does not take the password.
    pub async fn authenticate(&mut self, authorization: &Url, user: &User) -> anyhow::Result<Url> {
        let form = match self.follow(authorization.clone()).await? {
            Followed::Callback(callback) => return Ok(callback),
            Followed::Page(page) => page,
        };
        let action = form_action(&form)?;
        let fields = [("username", &user.username), ("password", &user.password)];
        let request = self.http.post(action.clone()).form(&fields);
        let _one_at_a_time = crate::one_password_at_a_time().await;
        let answer = self.send(request, &action).await?;
        let next = location(&answer, &action)?.context("Keycloak did not take the password")?;
        match self.follow(next).await? {
            Followed::Callback(callback) => Ok(callback),
            Followed::Page(page) => bail!("Keycloak shows {} instead of returning", page.address),
        }
    }

    /// Opens an address and follows its redirects to a page.
    ///
    /// # Errors
    /// When it does not answer, or leads to the gateway's callback.
    pub async fn open(&mut self, address: &Url) -> anyhow::Result<Page> {
        match self.follow(address.clone()).await? {
            Followed::Page(page) => Ok(page),
            Followed::Callback(_) => bail!("{} leads to the callback", address.path()),
        }
    }

    /// Opens an address; answers where it redirects to.
    ///
    /// # Errors
    /// When it does not redirect.
    pub async fn redirected_by(&mut self, address: &Url) -> anyhow::Result<Url> {
        let answer = self.get(address).await?;
        let next = location(&answer, address)?;
        next.with_context(|| format!("{} answers {}", address.path(), answer.status()))
    }

    /// Opens an address without following it.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn get(&mut self, address: &Url) -> anyhow::Result<Response> {
        self.send(self.http.get(address.clone()), address).await
    }

    /// Signs out as the application's button does.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn sign_out(&mut self) -> anyhow::Result<Response> {
        let gateway = &self.stack.gateway.public_url;
        let address = gateway.join("/auth/sign-out")?;
        let request = self
            .http
            .post(address.clone())
            .header("origin", gateway.origin().ascii_serialization())
            .header("x-bionicpro-csrf", "1");
        self.send(request, &address).await
    }

    /// The application's page in this browser.
    #[must_use]
    pub fn page(&self) -> GrpcWeb {
        let page = GrpcWeb::page(self.stack);
        match self.header(&self.stack.gateway.public_url) {
            Some(cookies) => page.with_cookies(&cookies),
            None => page,
        }
    }

    /// Asks who is signed in here, as the page does.
    ///
    /// # Errors
    /// When the gateway gives no answer.
    pub async fn me(&self) -> anyhow::Result<Answer<GetMeResponse>> {
        self.page().call(GET_ME, &GetMeRequest {}).await
    }

    /// The ticket of the browser's session.
    #[must_use]
    pub fn session_ticket(&self) -> Option<&str> {
        let name = (SESSION_COOKIE.to_owned(), "/".to_owned());
        self.cookies.get(&name).map(String::as_str)
    }

    /// The ticket of a sign-in that this browser has under way.
    #[must_use]
    pub fn attempt_ticket(&self) -> Option<&str> {
        let mut cookies = self.cookies.iter();
        let attempt = cookies.find(|((name, _), _)| name.starts_with(ATTEMPT_COOKIES));
        attempt.map(|(_, ticket)| ticket.as_str())
    }

    /// Puts another ticket into the session's cookie.
    pub fn set_session_ticket(&mut self, ticket: &str) {
        let name = (SESSION_COOKIE.to_owned(), "/".to_owned());
        self.cookies.insert(name, ticket.to_owned());
    }

    async fn follow(&mut self, mut address: Url) -> anyhow::Result<Followed> {
        for _ in 0..MAX_REDIRECTS {
            let callback = self.stack.gateway.public_url.join("/auth/callback")?;
            if address.origin() == callback.origin() && address.path() == callback.path() {
                return Ok(Followed::Callback(address));
            }
            let answer = self.get(&address).await?;
            match location(&answer, &address)? {
                Some(next) => address = next,
                None => {
                    return Ok(Followed::Page(Page {
                        address,
                        status: answer.status(),
                        text: answer.text().await?,
                    }));
                }
            }
        }
        bail!("more than {MAX_REDIRECTS} redirects")
    }

    async fn send(
        &mut self,
        request: reqwest::RequestBuilder,
        address: &Url,
    ) -> anyhow::Result<Response> {
        let request = match self.header(address) {
            Some(cookies) => request.header(COOKIE, cookies),
            None => request,
        };
        let answer = request.send().await?;
        self.keep(answer.headers())?;
        Ok(answer)
    }

    fn header(&self, address: &Url) -> Option<String> {
        let sent: Vec<String> = self
            .cookies
            .iter()
            .filter(|((_, path), _)| address.path().starts_with(path.as_str()))
            .map(|((name, _), value)| format!("{name}={value}"))
            .collect();
        (!sent.is_empty()).then(|| sent.join("; "))
    }

    fn keep(&mut self, headers: &HeaderMap) -> anyhow::Result<()> {
        for cookie in headers.get_all(SET_COOKIE) {
            let mut parts = cookie.to_str()?.split(';').map(str::trim);
            let (name, value) = parts
                .next()
                .and_then(|pair| pair.split_once('='))
                .context("a cookie has no name")?;
            let attributes: BTreeMap<String, &str> = parts
                .map(|part| part.split_once('=').unwrap_or((part, "")))
                .map(|(name, value)| (name.to_ascii_lowercase(), value))
                .collect();
            let path = attributes.get("path").copied().unwrap_or("/");
            let key = (name.to_owned(), path.to_owned());
            if attributes.get("max-age") == Some(&"0") {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
        Ok(())
    }
}

/// Where a redirect leads.
fn location(answer: &Response, base: &Url) -> anyhow::Result<Option<Url>> {
    if !answer.status().is_redirection() {
        return Ok(None);
    }
    let location = answer
        .headers()
        .get(LOCATION)
        .context("a redirect to nowhere")?;
    Ok(Some(base.join(location.to_str()?)?))
}

/// Where Keycloak's sign-in form is sent to.
fn form_action(page: &Page) -> anyhow::Result<Url> {
    ensure!(
        page.status.is_success(),
        "{}: {}",
        page.address,
        page.status
    );
    let form = page.text.split("id=\"kc-form-login\"").nth(1);
    let action = form
        .and_then(|form| form.split("action=\"").nth(1))
        .and_then(|action| action.split('"').next())
        .with_context(|| format!("{} is not the sign-in form", page.address))?;
    Ok(Url::parse(&action.replace("&amp;", "&"))?)
}
