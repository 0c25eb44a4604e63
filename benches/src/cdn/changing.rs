//! Somebody who asks for a report's file and downloads it, again and again, while other people's data
//! change: their rows in the CRM, and readings that come late for a day that the file shows. Now and
//! then the data of their own change, too: a file of before would be stale.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use http::StatusCode;
use http::header::COOKIE;

use super::Place;
use crate::encoded::Caller;
use crate::reporting::{self, Period};
use crate::rounds::{Contender, Sample, median};
use crate::system::Port;
use crate::warehouse::Warehouse;

/// Of a round.
const FILES: u64 = 20;
/// Of these files, each so many-th comes after a change of one's own.
const OWN_CHANGE: u64 = 10;
/// How often others' data change, and how many changes that are: 100 a second.
const PACE: Duration = Duration::from_millis(100);
const AT_ONCE: u64 = 10;
/// Days that the file shows.
const MONTH: u64 = 31;
/// The patient's prosthesis: see reporting/world.sql.
const PROSTHESIS: &str = "20000000-0000-0000-0000-000000000000";

/// The person who asks.
pub(super) struct Person<'a> {
    place: &'a Place,
    caller: Caller,
    http: reqwest::Client,
    cookie: String,
    period: Period,
    /// Changes of the data, which are their versions, too.
    changes: AtomicU64,
}

/// Asks while others' data change, or while they do not.
pub(super) struct Asking<'a> {
    pub(super) person: &'a Person<'a>,
    pub(super) others_change: bool,
}

/// A file as it came.
struct File {
    bytes: Vec<u8>,
    /// Whether the CDN had it.
    is_hit: bool,
    took: Duration,
}

impl<'a> Person<'a> {
    pub(super) fn new(place: &'a Place, ticket: &str) -> anyhow::Result<Self> {
        Ok(Self {
            place,
            caller: place.reporting.runtime.block_on(place.reporting.caller())?,
            http: bionicpro_tests::http(),
            cookie: format!("__Host-bionicpro-session={ticket}"),
            period: Period::number(1, MONTH)?,
            changes: AtomicU64::new(1),
        })
    }

    /// Asks for the report's file, waits until it is there and downloads it.
    fn file(&self) -> anyhow::Result<File> {
        self.place.reporting.runtime.block_on(async {
            let began = Instant::now();
            let export = reporting::ready(&self.caller, self.period).await?;
            let address = format!("http://{}{}", Port::Nginx.address(), export.download_path);
            let request = self.http.get(address).header(COOKIE, &self.cookie);
            let answer = request.send().await?;
            ensure!(answer.status() == StatusCode::OK, "{}", answer.status());
            let cache = answer.headers().get("x-cache-status");
            Ok(File {
                is_hit: cache.is_some_and(|cache| cache == "HIT"),
                bytes: answer.bytes().await?.to_vec(),
                took: began.elapsed(),
            })
        })
    }

    /// A visit to the workshop in the period of the file. Answers its time as the file has it.
    fn visits(&self) -> anyhow::Result<String> {
        let number = self.changes.fetch_add(1, Ordering::Relaxed);
        let since = self.period.first.and_time(chrono::NaiveTime::MIN);
        let at = since + Duration::from_secs(number);
        let visit = format!(
            "INSERT INTO {{database}}.crm_service_visits_versions \
             (id, prosthesis_id, visited_at, kind, notes, cost, version, is_deleted) \
             VALUES (generateUUIDv4(), '{PROSTHESIS}', '{at}', 'inspection', '', 0, {number}, 0)"
        );
        self.warehouse().execute(&visit)?;
        Ok(at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    /// Changes others' data at an even pace until `stop`, and answers how many changes that were.
    fn others_change(&self, stop: &AtomicBool) -> anyhow::Result<u64> {
        let mut next = Instant::now();
        let mut changes = 0;
        while !stop.load(Ordering::Relaxed) {
            let number = self.changes.fetch_add(AT_ONCE, Ordering::Relaxed);
            let statements = include_str!("changes.sql")
                .replace("{number}", &number.to_string())
                .replace("{day}", &self.period.first.to_string());
            for statement in statements.split(";\n") {
                self.warehouse().execute(statement)?;
            }
            changes += AT_ONCE;
            next += PACE;
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        Ok(changes)
    }

    fn warehouse(&self) -> &Warehouse {
        &self.place.reporting.warehouse
    }
}

impl Asking<'_> {
    fn files(&self) -> anyhow::Result<Sample> {
        let (mut hits, mut stale, mut times) = (0, 0, Vec::new());
        let mut visit = String::new();
        for number in 0..FILES {
            let is_changed = number % OWN_CHANGE == 0;
            if is_changed {
                visit = self.person.visits()?;
            }
            let file = self.person.file()?;
            if !String::from_utf8(file.bytes)?.contains(&visit) {
                stale += 1;
            }
            if !is_changed {
                hits += i32::from(file.is_hit);
                times.push(file.took.as_secs_f64() * 1e3);
            }
        }
        let unchanged = i32::try_from(times.len())?;
        Ok(Sample::from([
            (
                "hits, per cent",
                f64::from(hits * 100) / f64::from(unchanged),
            ),
            ("stale files", f64::from(stale)),
            ("ms a file, median", median(times)),
        ]))
    }
}

impl Contender for Asking<'_> {
    fn name(&self) -> &'static str {
        if self.others_change {
            "100 changes a second touch others"
        } else {
            "nobody else's data change"
        }
    }

    fn round(&mut self) -> anyhow::Result<Sample> {
        if !self.others_change {
            // What came late in the round before would be looked through for the person's own.
            let late = ["telemetry_arrivals", "telemetry_readings"];
            self.person.warehouse().empty(&late)?;
            return self.files();
        }
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let began = Instant::now();
            let others = scope.spawn(|| self.person.others_change(&stop));
            let files = self.files();
            stop.store(true, Ordering::Relaxed);
            let changes = others.join().expect("it does not panic")?;
            let mut sample = files?;
            #[allow(clippy::cast_precision_loss)]
            let rate = changes as f64 / began.elapsed().as_secs_f64();
            sample.insert("others' changes per second", rate);
            Ok(sample)
        })
    }
}
