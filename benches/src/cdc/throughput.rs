//! Catching up with a log that is there already: from the moment that the group
//! has its partitions until the last row is visible.

use std::cell::Cell;
use std::thread;
use std::time::Instant;

use anyhow::{anyhow, ensure};

use super::log::Log;
use super::warehouse::Content;
use super::{Cpu, ENGINE_FLUSH_MS, Place, Running, Way, envelope};
use crate::rounds::{self, Comparison, Contender, Sample};

const ROUNDS: usize = 3;
/// The variable that says how many messages the log has, and how many it has without.
const MESSAGES_VARIABLE: &str = "BIONICPRO_BENCH_CDC_MESSAGES";
const MESSAGES: usize = 1_000_000;
/// How long a message waits for company in the connector's producer.
const LINGER_MS: u32 = 5;
const GOAL: &str = "≥ 2.5 × the Kafka engine's rows per second, ≥ 300,000 of them, \
                    ≤ 4.5 CPU-s per million, < 250 MB";

struct CatchUp<'a> {
    way: Way,
    place: &'a Place,
    log: &'a Log,
    messages: u64,
    /// What the first round of all found in its table; every other has to find the same.
    content: &'a Cell<Option<Content>>,
}

/// When a way began to read, and what others had used by then.
struct Began {
    at: Instant,
    cpu: Cpu,
}

pub(super) fn compare(place: &Place) -> anyhow::Result<Comparison> {
    let messages = u64::try_from(rounds::size(MESSAGES_VARIABLE, MESSAGES)?)?;
    let log = Log::create("bench-cdc", LINGER_MS)?;
    let bytes = log.fill(messages)?;
    eprintln!("the log has {messages} messages of {bytes} bytes each");
    let content = Cell::new(None);
    let ways = [
        Way::Ours,
        Way::KafkaEngine {
            flush_ms: ENGINE_FLUSH_MS,
        },
    ];
    let mut contenders = ways.map(|way| {
        let catch_up = CatchUp {
            way,
            place,
            log: &log,
            messages,
            content: &content,
        };
        Box::new(catch_up) as Box<dyn Contender + '_>
    });
    rounds::compare(
        "CRM changes from Kafka into a table",
        GOAL,
        ROUNDS,
        &mut contenders,
    )
}

impl Contender for CatchUp<'_> {
    fn name(&self) -> &'static str {
        self.way.name()
    }

    fn round(&mut self) -> anyhow::Result<Sample> {
        let (place, table) = (self.place, self.way.table());
        place.warehouse.empty_tables(&place.consumer)?;
        let (began, running) = self.begin()?;
        place.warehouse.wait_for_rows(table, self.messages)?;
        let seconds = began.at.elapsed().as_secs_f64();
        let cpu = place.cpu(running.consumer.as_ref())?;
        self.check()?;

        #[allow(clippy::cast_precision_loss)]
        let messages = self.messages as f64;
        // CPU-µs a message are CPU-s a million.
        let each = |used: f64| used / messages;
        let clickhouse = each(cpu.clickhouse - began.cpu.clickhouse);
        let kafka = each(cpu.kafka - began.cpu.kafka);
        let mut sample = Sample::from([
            ("rows per second", messages / seconds),
            ("CPU-s per million", each(cpu.consumer) + clickhouse + kafka),
            ("of that, ClickHouse", clickhouse),
            ("of that, Kafka", kafka),
        ]);
        if let Some(consumer) = &running.consumer {
            sample.insert("of that, cdc", each(cpu.consumer));
            sample.insert("peak resident MB", consumer.peak_resident_mb()?);
        }
        Ok(sample)
    }
}

impl<'a> CatchUp<'a> {
    /// Starts to read, and notes when the group has its partitions: what comes before is no work.
    fn begin(&self) -> anyhow::Result<(Began, Running<'a>)> {
        let group = self.log.new_group();
        let place = self.place;
        thread::scope(|scope| {
            let began = scope.spawn(|| {
                self.log.wait_until_assigned(&group)?;
                let (at, cpu) = (Instant::now(), place.cpu(None)?);
                anyhow::Ok(Began { at, cpu })
            });
            let running = self.way.start(place, self.log, &group)?;
            let began = began.join().map_err(|_| anyhow!("the watch panicked"))??;
            Ok((began, running))
        })
    }

    /// Every message is there, once and whole: two parsers that know nothing of each other have
    /// made the same rows of it.
    fn check(&self) -> anyhow::Result<()> {
        let warehouse = &self.place.warehouse;
        let content = warehouse.content(self.way.table())?;
        let positions = (0..self.messages).map(|number| u128::from(envelope::lsn(number)));
        ensure!(
            (content.rows, content.positions) == (self.messages, positions.sum()),
            "not every message arrived once: {content:?}"
        );
        let before = self.content.replace(Some(content));
        ensure!(
            before.is_none_or(|before| before == content),
            "{} has other rows: {before:?} and {content:?}",
            self.way.name()
        );
        if matches!(self.way, Way::Ours) {
            warehouse.wait_for_rows("crm_watermarks", 1)?;
            let dead = warehouse.dead_letters()?;
            ensure!(dead == 0, "{dead} messages were set aside");
        }
        Ok(())
    }
}
