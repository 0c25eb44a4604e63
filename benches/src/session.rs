//! What the check of a session costs: the gateway's and auth's CPU together,
//! forwarding of the call included, against oauth2-proxy's check (nginx's
//! `auth_request`), which forwards nothing. Both have their sessions in the
//! stack's Redis, whose own CPU is not counted.

use std::sync::Arc;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::backend::{self, UNARY_BYTES};
use crate::baselines;
use crate::load::{Load, check_grpc_web};
use crate::process::{self, Process};
use crate::rounds::{Contender, Report, Sample, compare};
use crate::system::{self, Port, System};

const ROUNDS: usize = 5;
const CHECKS: usize = 20_000;
/// Someone who can sign in to oauth2-proxy: the password, and its SHA-1.
const PASSWORD: &str = "bench";
const HTPASSWD: &str = "bench:{SHA}5cicUp3MubQnFvTZEY1hB5yIPZ4=\n";

struct Ours<'a> {
    system: &'a System,
    load: Load,
}

struct OAuth2Proxy<'a> {
    process: &'a Process,
    load: Load,
}

impl Contender for Ours<'_> {
    fn name(&self) -> &'static str {
        "gateway and auth, uncached"
    }

    fn round(&mut self) -> anyhow::Result<Sample> {
        let System { gateway, auth } = self.system;
        let before = (gateway.cpu_us()?, auth.cpu_us()?);
        let (checks, elapsed) = self.load.run(CHECKS)?;
        let gateway_used = gateway.cpu_us()? - before.0;
        let auth_used = auth.cpu_us()? - before.1;
        #[allow(clippy::cast_precision_loss)]
        let checks = checks as f64;
        Ok(Sample::from([
            ("CPU-µs per check", (gateway_used + auth_used) / checks),
            ("of that, auth", auth_used / checks),
            ("checks per second", checks / elapsed.as_secs_f64()),
        ]))
    }
}

impl Contender for OAuth2Proxy<'_> {
    fn name(&self) -> &'static str {
        "oauth2-proxy 7.8.1 with Redis"
    }

    fn round(&mut self) -> anyhow::Result<Sample> {
        let before = self.process.cpu_us()?;
        let (checks, elapsed) = self.load.run(CHECKS)?;
        let used = self.process.cpu_us()? - before;
        #[allow(clippy::cast_precision_loss)]
        let checks = checks as f64;
        Ok(Sample::from([
            ("CPU-µs per check", used / checks),
            ("checks per second", checks / elapsed.as_secs_f64()),
        ]))
    }
}

/// Runs the benchmark.
pub(crate) fn run() -> anyhow::Result<Report> {
    let ticket = system::session_ticket()?;
    let _backend = Process::of_our_own(process::BACKEND, Port::Backend.address(), &[])?;
    let system = System::start(Port::Backend, &[])?;
    let proxy = baselines::oauth2_proxy(Port::OAuth2Proxy.address(), HTPASSWD)?;
    let load = system::page(
        system.gateway.address,
        backend::UNARY,
        &ticket,
        Arc::new(check_grpc_web::<1, UNARY_BYTES>),
    )?;
    let ours = Ours {
        system: &system,
        load,
    };
    let theirs = OAuth2Proxy {
        process: &proxy,
        load: auth_request(&proxy)?,
    };
    let mut contenders: [Box<dyn Contender + '_>; 2] = [Box::new(ours), Box::new(theirs)];
    let goal = "≤ 70 CPU-µs, and less than oauth2-proxy";
    let comparison = compare("check of a session", goal, ROUNDS, &mut contenders)?;
    Ok(Report {
        comparisons: vec![comparison],
    })
}

/// Signs in at oauth2-proxy's form; its check then answers 202.
fn auth_request(proxy: &Process) -> anyhow::Result<Load> {
    let host = HeaderValue::try_from(proxy.address.to_string())?;
    let cookie = tokio::runtime::Runtime::new()?.block_on(async {
        let answer = bionicpro_tests::http()
            .post(format!("http://{}/oauth2/sign_in", proxy.address))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("username=bench&password={PASSWORD}&rd=/"))
            .send()
            .await?;
        let cookies = answer.headers().get_all(SET_COOKIE).into_iter();
        let pairs = cookies.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
        let pair = pairs
            .into_iter()
            .find(|pair| pair.starts_with("_oauth2_proxy="));
        anyhow::Ok(HeaderValue::try_from(pair.context("no session's cookie")?)?)
    })?;
    Ok(Load {
        address: proxy.address,
        method: Method::GET,
        path: "/oauth2/auth".to_owned(),
        headers: HeaderMap::from_iter([(HOST, host), (COOKIE, cookie)]),
        body: Bytes::new(),
        check: Arc::new(|head, _| {
            ensure!(
                head.status() == StatusCode::ACCEPTED,
                "HTTP {}",
                head.status()
            );
            Ok(())
        }),
    })
}
