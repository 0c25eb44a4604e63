//! `cargo stack simulate`: devices that are worn send readings, by the same call as a devices'
//! backend would, until they are told to stop.

use std::{
    fmt,
    ops::AddAssign,
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use chrono::Utc;
use serde_json::{Value, json};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::{
    cli,
    grpc::Caller,
    parts::Site,
    seed::{Live, World},
};

const METHOD: &str = "bionicpro.ingest.v1.TelemetryService/RecordReadings";
/// Readings of one message, and messages of one stream: the next stream begins behind them.
const MESSAGE: usize = 500;
const STREAM: usize = 20 * MESSAGE;
/// How long before readings that were not taken are sent again.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) fn run(site: &Site, options: &cli::Simulate) -> Result<()> {
    let world = World::of(&site.topology)?
        .context("nothing is seeded: `cargo stack up` seeds the devices")?;
    let live = world.live(options.devices as usize, Utc::now());
    if live.devices() == 0 {
        bail!("nobody wears a device: seed a world up to yesterday");
    }
    println!(
        "{} devices send {} readings a second; Ctrl-C ends it",
        live.devices(),
        options.rate
    );
    let mut sums = Sums::default();
    let outcome = send(site, &live, options, &told_to_stop()?, &mut sums);
    println!("in all: {sums}");
    outcome
}

fn send(
    site: &Site,
    live: &Live<'_>,
    options: &cli::Simulate,
    stop: &Receiver<()>,
    sums: &mut Sums,
) -> Result<()> {
    let caller = Caller::of_devices(site);
    let (began, rate) = (Instant::now(), options.rate as usize);
    for second in 1_u32.. {
        let due = began + Duration::from_secs(second.into());
        let wait = due.saturating_duration_since(Instant::now());
        if stop.recv_timeout(wait).is_ok() {
            break;
        }
        let readings = live.second(Utc::now(), rate * (second as usize - 1), rate);
        let record = || record(&caller, &site.topology.ingest.address, &readings);
        let Some(sent) = insist(record, stop, AGAIN)? else {
            break;
        };
        println!("{second:>5} s: {sent}");
        *sums += sent;
        if options.seconds == Some(second) {
            break;
        }
    }
    Ok(())
}

/// Sends the same readings until they are taken; nothing where it is told to stop before.
fn insist(
    mut record: impl FnMut() -> Result<Sums>,
    stop: &Receiver<()>,
    pause: Duration,
) -> Result<Option<Sums>> {
    loop {
        match record() {
            Err(error) if passes(&error) => println!("not taken, sent again: {error:#}"),
            sent => return sent.map(Some),
        }
        if stop.recv_timeout(pause).is_ok() {
            return Ok(None);
        }
    }
}

/// Whether a call can succeed later as it is: the service is away, or what it needs is. So grpcurl
/// writes it.
fn passes(error: &anyhow::Error) -> bool {
    let words = format!("{error:#}");
    [
        "Code: Unavailable",
        "Code: DeadlineExceeded",
        "Failed to dial",
    ]
    .iter()
    .any(|sign| words.contains(sign))
}

/// Sends readings as streams, side by side.
fn record(caller: &Caller<'_>, address: &str, readings: &[Value]) -> Result<Sums> {
    let streams = thread::scope(|scope| {
        let calls: Vec<_> = readings
            .chunks(STREAM)
            .map(|readings| {
                let messages: Vec<_> = readings
                    .chunks(MESSAGE)
                    .map(|readings| json!({ "readings": readings }))
                    .collect();
                scope.spawn(move || caller.stream(address, METHOD, &messages))
            })
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().unwrap_or_else(|_| bail!("a stream broke off")))
            .collect::<Result<Vec<_>>>()
    })?;
    let mut sums = Sums::default();
    for answer in &streams {
        sums += Sums::of(answer)?;
    }
    Ok(sums)
}

/// Says when Ctrl-C was pressed, or somebody ended the process.
fn told_to_stop() -> Result<Receiver<()>> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("signals cannot be listened to")?;
    let (told, stop) = mpsc::channel();
    thread::spawn(move || {
        signals.forever().next();
        // Nobody listens any more where the last second is over.
        let _ = told.send(());
    });
    Ok(stop)
}

/// What became of readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    accepted: u64,
    duplicates: u64,
    rejected: u64,
}

impl Sums {
    /// Those of an answer, in which grpcurl leaves out what is zero.
    fn of(answer: &Value) -> Result<Self> {
        let receipt = &answer["receipt"];
        let number = |field: &str| match &receipt[field] {
            Value::Null => Ok(0),
            Value::String(number) => number.parse().context("a number"),
            other => bail!("{field} is {other}"),
        };
        Ok(Self {
            accepted: number("accepted")?,
            duplicates: number("duplicates")?,
            rejected: number("rejected")?,
        })
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        self.rejected += other.rejected;
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            accepted,
            duplicates,
            rejected,
        } = self;
        write!(
            formatter,
            "{accepted} accepted, {duplicates} duplicates, {rejected} rejected"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_sent_until_they_are_taken() {
        let (told, stop) = mpsc::channel();
        let taken = Sums {
            accepted: 5,
            ..Sums::default()
        };
        let mut answers = vec![
            Ok(taken),
            Err(anyhow::anyhow!("ERROR:\n  Code: Unavailable\n  Message: …")),
            Err(anyhow::anyhow!("Failed to dial target host: refused")),
        ];
        let sent = insist(
            || answers.pop().expect("no further call"),
            &stop,
            Duration::ZERO,
        );
        assert_eq!(sent.expect("taken"), Some(taken));

        let refused = || bail!("ERROR:\n  Code: PermissionDenied");
        assert!(insist(refused, &stop, Duration::ZERO).is_err());

        told.send(()).expect("somebody listens");
        let away = || bail!("ERROR:\n  Code: Unavailable");
        let none = insist(away, &stop, AGAIN).expect("told to stop");
        assert_eq!(none, None);
    }

    #[test]
    fn a_receipt_is_read_as_grpcurl_writes_it() {
        let answer = json!({ "receipt": { "accepted": "12", "rejected": "1" } });
        let sums = Sums::of(&answer).expect("readable");
        assert_eq!(sums.to_string(), "12 accepted, 0 duplicates, 1 rejected");
        assert!(Sums::of(&json!({ "receipt": { "accepted": [] } })).is_err());
    }
}
