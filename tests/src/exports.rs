//! Exports as a signed-in page asks for them, downloads as its browser makes them, and what the CDN
//! noted of both.

use std::fs;
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bionicpro_proto::reports::v1::{
    Export, ExportFormat, ExportReportRequest, ExportReportResponse, ExportState, GetExportRequest,
    GetExportResponse, Language, ListExportsRequest, ListExportsResponse, PeriodSelector,
};
use http::header::COOKIE;
use http::{HeaderMap, Method, StatusCode};
use prost::Message;
use ring::hmac;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use crate::browser::Browser;
use crate::grpc_web::Answer;
use crate::{Topology, crm, eventually};
use tonic::Code;

/// How long a file may take on a busy machine.
const MADE: Duration = Duration::from_secs(60);
/// How long a change may take to be in ClickHouse.
const ARRIVAL: Duration = Duration::from_secs(60);
const SERVICE: &str = "/bionicpro.reports.v1.ReportsService";

/// A signed-in patient with the exports page open.
pub struct Patient<'a> {
    stack: &'a Topology,
    browser: Browser<'a>,
    /// The customer that they are.
    pub customer: Uuid,
}

/// What a download came to.
pub struct Download {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The file, or a page that says why not.
    pub bytes: Vec<u8>,
}

/// A line of the CDN's log.
#[derive(Debug, Deserialize)]
pub struct Noted {
    /// The path, without the query.
    pub path: String,
    /// The status that the browser got.
    pub status: u16,
    /// `HIT`, `MISS`, …
    pub cache: String,
    /// What the file store answered; `-` where it was not asked.
    pub origin: String,
    /// The `traceparent` that the request came with, or that began with it.
    pub trace: String,
}

impl<'a> Patient<'a> {
    /// Signs somebody in.
    ///
    /// # Errors
    /// When a page on the way is not the expected one, or they are no customer.
    pub async fn signed_in(stack: &'a Topology, username: &str) -> anyhow::Result<Self> {
        let browser = Browser::signed_in(stack, username).await?;
        Self::in_browser(stack, username, browser)
    }

    /// Somebody who has signed in in this browser.
    ///
    /// # Errors
    /// When they are no customer.
    pub fn in_browser(
        stack: &'a Topology,
        username: &str,
        browser: Browser<'a>,
    ) -> anyhow::Result<Self> {
        let customer = stack.user(username).customer_id;
        Ok(Self {
            stack,
            browser,
            customer: customer.context("no customer")?,
        })
    }

    /// Calls a method of the service as the page does.
    ///
    /// # Panics
    /// When the gateway does not answer in grpc-web's form.
    pub async fn call<Q: Message, A: Message + Default>(&self, method: &str, ask: &Q) -> Answer<A> {
        let method = format!("{SERVICE}/{method}");
        let answer = self.browser.page().call(&method, ask).await;
        answer.unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Waits until the service answers this page.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn answered(&self) {
        let ask = ListExportsRequest::default();
        eventually("reports answers", MADE, || async {
            let answer: Answer<ListExportsResponse> = self.call("ListExports", &ask).await;
            answer.status.code() == Code::Ok
        })
        .await;
    }

    /// Asks for an export under a new request.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn export(&self, period: &PeriodSelector, format: ExportFormat) -> Export {
        self.export_as(Uuid::new_v4(), period, format)
            .await
            .message()
    }

    /// Asks for an export in a language under a new request.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn export_in(
        &self,
        language: Language,
        period: &PeriodSelector,
        format: ExportFormat,
    ) -> Export {
        self.ask(Uuid::new_v4(), language, period, format)
            .await
            .message()
    }

    /// Asks for an export under a request.
    ///
    /// # Panics
    /// When the gateway does not answer in grpc-web's form.
    pub async fn export_as(
        &self,
        request: Uuid,
        period: &PeriodSelector,
        format: ExportFormat,
    ) -> Asked {
        self.ask(request, Language::English, period, format).await
    }

    async fn ask(
        &self,
        request: Uuid,
        language: Language,
        period: &PeriodSelector,
        format: ExportFormat,
    ) -> Asked {
        let ask = ExportReportRequest {
            request_id: request.to_string(),
            period: Some(period.clone()),
            format: format.into(),
            language: language.into(),
        };
        Asked(self.call("ExportReport", &ask).await)
    }

    /// The export as it stands.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn get(&self, export_id: &str) -> Export {
        let export_id = export_id.to_owned();
        let answer: Answer<GetExportResponse> = self
            .call("GetExport", &GetExportRequest { export_id })
            .await;
        answer.message().export.unwrap_or_default()
    }

    /// Waits until an export is made, or has failed.
    ///
    /// # Panics
    /// When neither happens in time.
    pub async fn settled(&self, export: &Export) -> Export {
        let id = &export.export_id;
        eventually("the export is made", MADE, || async {
            self.get(id).await.state() != ExportState::Pending
        })
        .await;
        self.get(id).await
    }

    /// Asks for an export and waits until its file is there.
    ///
    /// # Panics
    /// When it is not made.
    pub async fn ready(&self, period: &PeriodSelector, format: ExportFormat) -> Export {
        let asked = self.export(period, format).await;
        let export = self.settled(&asked).await;
        assert_eq!(export.state(), ExportState::Ready, "{}", export.failure);
        export
    }

    /// Opens a link at the CDN with this browser's session.
    ///
    /// # Panics
    /// When the CDN does not answer.
    pub async fn download(&self, link: &str) -> Download {
        self.fetch(Method::GET, link, &[]).await
    }

    /// The same by another method, with further headers.
    ///
    /// # Panics
    /// When the CDN does not answer, or the browser has no session.
    pub async fn fetch(&self, method: Method, link: &str, headers: &[(&str, &str)]) -> Download {
        let ticket = self.browser.session_ticket().unwrap_or_default();
        let cookie = format!("__Host-bionicpro-session={ticket}");
        let cookie = [(COOKIE.as_str(), cookie.as_str())];
        fetch(self.stack, method, link, &[headers, &cookie].concat()).await
    }

    /// Changes the patient's row in the CRM, and waits until the change is in ClickHouse.
    ///
    /// # Errors
    /// When the CRM refuses.
    ///
    /// # Panics
    /// When the change does not come in time.
    pub async fn change_in_crm(&self) -> anyhow::Result<()> {
        change_in_crm(self.stack, self.customer).await
    }
}

/// The answer to ExportReport.
pub struct Asked(pub Answer<ExportReportResponse>);

impl Asked {
    /// The export.
    ///
    /// # Panics
    /// When the call failed.
    #[must_use]
    pub fn message(self) -> Export {
        self.0.message().export.unwrap_or_default()
    }
}

/// Changes a customer's row in the CRM, and waits until the change is in ClickHouse.
///
/// # Errors
/// When the CRM refuses.
///
/// # Panics
/// When the change does not come in time.
pub async fn change_in_crm(stack: &Topology, customer: Uuid) -> anyhow::Result<()> {
    let mark = Uuid::new_v4().to_string();
    let crm = crm::connect(stack).await?;
    let change = "UPDATE customers SET phone = $1 WHERE id = $2";
    crm.execute(change, &[&mark, &customer]).await?;
    let query = format!(
        "SELECT toUInt32(count()) FROM {}.crm_customers WHERE phone = '{mark}'",
        stack.clickhouse.database
    );
    eventually("the change is in ClickHouse", ARRIVAL, || async {
        let rows = crm::query_clickhouse::<[u32; 1]>(stack, &query).await;
        rows.is_ok_and(|rows| rows[0][0] == 1)
    })
    .await;
    Ok(())
}

/// Opens a link at the CDN with no more than these headers.
///
/// # Panics
/// When the CDN does not answer.
pub async fn fetch(
    stack: &Topology,
    method: Method,
    link: &str,
    headers: &[(&str, &str)],
) -> Download {
    let address = format!(
        "{}{link}",
        stack.nginx.public_url.origin().ascii_serialization()
    );
    let mut request = crate::http().request(method, address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await;
    let answer = answer.unwrap_or_else(|error| panic!("the CDN does not answer: {error}"));
    let (status, headers) = (answer.status(), answer.headers().clone());
    let bytes = answer.bytes().await.unwrap_or_default().to_vec();
    Download {
        status,
        headers,
        bytes,
    }
}

impl Download {
    /// Whether the CDN had the file.
    #[must_use]
    pub fn cache(&self) -> &str {
        self.header("x-cache-status")
    }

    /// A header's text, empty without it.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(http::HeaderValue::to_str);
        value.and_then(Result::ok).unwrap_or_default()
    }
}

/// The path of a link, without the query.
#[must_use]
pub fn path(link: &str) -> &str {
    link.split('?').next().unwrap_or_default()
}

/// The name of a link's file in the store.
#[must_use]
pub fn name(export: &Export) -> &str {
    export.download_path.split('/').nth(2).unwrap_or_default()
}

/// What the CDN noted of a path.
///
/// # Errors
/// When the log cannot be read.
pub fn noted(stack: &Topology, path: &str) -> anyhow::Result<Vec<Noted>> {
    let log = fs::read_to_string(stack.directories.logs.join("nginx-access.log"))?;
    let lines = log.lines().map(serde_json::from_str::<Noted>);
    let lines: Vec<_> = lines.collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line.path == path).collect())
}

/// Signs a path as the reports service does, by the stack's first key.
///
/// # Errors
/// When the topology's key is none.
pub fn signed(stack: &Topology, path: &str, expires: i64) -> anyhow::Result<String> {
    let key = stack.reports.export_keys.split(',').next();
    let key = key.and_then(|key| key.split_once(':')).context("no key")?.1;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64_STANDARD.decode(key)?);
    let label = b"bionicpro.reports.link.v1";
    let message = [label, path.as_bytes(), b"|", &expires.to_be_bytes()].concat();
    let signature = BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&key, &message));
    Ok(format!("{path}?expires={expires}&signature={signature}"))
}

/// The address of the CDN for a link.
///
/// # Panics
/// When the link is no address.
#[must_use]
pub fn address(stack: &Topology, link: &str) -> Url {
    let address = stack.nginx.public_url.join(link);
    address.unwrap_or_else(|error| panic!("{link}: {error}"))
}

/// Whether somebody works on an export that is not made: its row is locked.
///
/// # Errors
/// When Postgres refuses.
pub async fn is_worked_on(stack: &Topology, export: &Export) -> anyhow::Result<bool> {
    let url = stack.postgres.databases.bionicpro.url.as_str();
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let id: Uuid = export.export_id.parse()?;
    let free = "SELECT FROM exports WHERE export_id = $1 FOR NO KEY UPDATE SKIP LOCKED";
    let there = "SELECT FROM exports WHERE export_id = $1 AND state = 'PENDING'";
    Ok(client.query(there, &[&id]).await?.len() == 1
        && client.query(free, &[&id]).await?.is_empty())
}
