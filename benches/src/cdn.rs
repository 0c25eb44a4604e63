//! A download of a file that the CDN has cached, against nginx serving a file of the same bytes from
//! its disk under the same check (the session, then AuthorizeDownload). The same two without any
//! check say what the check costs. And the way of a file from the question to the last byte, while
//! other people's data change: theirs must not cost anybody a cached file. The CDN is the stack's own
//! configuration on other ports, and its gateway, auth and reports are release builds.

mod changing;
mod nginx;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, ensure};
use bionicpro_tests::exports;
use bionicpro_tests::stack;
use http::header::{COOKIE, HOST};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use self::changing::{Asking, Person};
use self::nginx::Nginx;
use crate::load::Load;
use crate::reporting::{self, Period, Reporting};
use crate::rounds::{Contender, Report, Sample, compare};
use crate::system::{self, Port, System};

const ROUNDS: usize = 9;
const ROUNDS_OF_CHANGES: usize = 5;
const CHECKED: usize = 4_000;
const UNCHECKED: usize = 10_000;
/// Days that the file shows.
const YEAR: u64 = 365;
/// A link of reports holds ten minutes; this one holds for as long as the benchmark takes.
const LINK_LIFE: i64 = 3_600;

/// Where everything happens.
struct Place {
    reporting: Reporting,
    system: System,
    nginx: Nginx,
}

/// Runs the benchmark.
pub(crate) fn run() -> anyhow::Result<Report> {
    let ticket = system::session_ticket()?;
    let reporting = Reporting::start()?;
    let (link, file) = made(&reporting)?;
    let downloads = Port::Downloads.address().to_string();
    let place = Place {
        nginx: Nginx::start(exports::path(&link), &file)?,
        system: System::start(Port::Reports, &[("BIONICPRO_DOWNLOADS_LISTEN", downloads)])?,
        reporting,
    };
    let file = Arc::new(file);
    let download = |name, port, downloads| -> anyhow::Result<Box<dyn Contender + '_>> {
        let load = load(port, &link, &ticket, &file)?;
        let place = &place;
        Ok(Box::new(Download {
            name,
            place,
            load,
            downloads,
        }))
    };
    let mut checked = [
        download("cached, checked", Port::Nginx, CHECKED)?,
        download("static file, checked", Port::NginxStatic, CHECKED)?,
    ];
    let mut unchecked = [
        download("cached, unchecked", Port::NginxUncheckedCached, UNCHECKED)?,
        download(
            "static file, unchecked",
            Port::NginxUncheckedStatic,
            UNCHECKED,
        )?,
    ];
    let person = Person::new(&place, &ticket)?;
    let asking = |others_change| -> Box<dyn Contender + '_> {
        Box::new(Asking {
            person: &person,
            others_change,
        })
    };
    let mut changing = [asking(true), asking(false)];
    Ok(Report {
        comparisons: vec![
            compare(
                "a download of a cached file",
                "≥ 0.9 × the static file's downloads per second",
                ROUNDS,
                &mut checked,
            )?,
            compare(
                "the same without any check",
                "none is set: the difference is what the check costs",
                ROUNDS,
                &mut unchecked,
            )?,
            compare(
                "a report's file, asked for and downloaded while others' data change",
                "≥ 95 % hits, 0 stale files",
                ROUNDS_OF_CHANGES,
                &mut changing,
            )?,
        ],
    })
}

/// An export's link, and its bytes as they lie in the store.
fn made(reporting: &Reporting) -> anyhow::Result<(String, Vec<u8>)> {
    use object_store::ObjectStoreExt as _;
    reporting.runtime.block_on(async {
        let caller = reporting.caller().await?;
        let export = reporting::ready(&caller, Period::number(0, YEAR)?).await?;
        let path = exports::path(&export.download_path);
        let link = exports::signed(stack(), path, bionicpro_tests::devices::now() + LINK_LIFE)?;
        let name = object_store::path::Path::from(exports::name(&export));
        let file = reporting.files.get(&name).await?.bytes().await?;
        Ok((link, file.to_vec()))
    })
}

fn load(port: Port, link: &str, ticket: &str, file: &Arc<Vec<u8>>) -> anyhow::Result<Load> {
    let cookie = HeaderValue::try_from(format!("__Host-bionicpro-session={ticket}"))?;
    let host = HeaderValue::try_from(port.address().to_string())?;
    let file = Arc::clone(file);
    let is_cache = matches!(port, Port::Nginx | Port::NginxUncheckedCached);
    // The very first one is a miss.
    let missed = AtomicBool::new(false);
    let check = move |head: &Response<()>, body: &[u8]| {
        ensure!(head.status() == StatusCode::OK, "HTTP {}", head.status());
        ensure!(
            body == file.as_slice(),
            "{} bytes of another file",
            body.len()
        );
        let status = head.headers().get("x-cache-status");
        let from_cache = match status.map(HeaderValue::as_bytes) {
            Some(b"HIT") => true,
            Some(b"MISS") => !missed.swap(true, Ordering::Relaxed),
            _ => false,
        };
        ensure!(from_cache == is_cache, "it came from elsewhere");
        Ok(())
    };
    Ok(Load {
        address: port.address(),
        method: Method::GET,
        path: link.to_owned(),
        headers: HeaderMap::from_iter([(HOST, host), (COOKIE, cookie)]),
        body: bytes::Bytes::new(),
        check: Arc::new(check),
    })
}

struct Download<'a> {
    name: &'static str,
    place: &'a Place,
    load: Load,
    downloads: usize,
}

impl Place {
    /// CPU time of nginx, the gateway, auth and reports, in microseconds.
    fn cpu(&self) -> anyhow::Result<[f64; 4]> {
        Ok([
            self.nginx.cpu_us()?,
            self.system.gateway.cpu_us()?,
            self.system.auth.cpu_us()?,
            self.reporting.reports.cpu_us()?,
        ])
    }
}

impl Contender for Download<'_> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn round(&mut self) -> anyhow::Result<Sample> {
        let before = self.place.cpu()?;
        let (downloads, elapsed) = self.load.run(self.downloads).context(self.name)?;
        let after = self.place.cpu()?;
        #[allow(clippy::cast_precision_loss)]
        let downloads = downloads as f64;
        let each = |index: usize| (after[index] - before[index]) / downloads;
        Ok(Sample::from([
            ("downloads per second", downloads / elapsed.as_secs_f64()),
            ("CPU-µs each, nginx", each(0)),
            ("CPU-µs each, gateway", each(1)),
            ("CPU-µs each, auth", each(2)),
            ("CPU-µs each, reports", each(3)),
        ]))
    }
}
