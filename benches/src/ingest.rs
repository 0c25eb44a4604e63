//! The daily load: a day's readings from Postgres into ClickHouse and the day's mart from them, by a
//! run of ours, and by the two shortest ways that there are: `COPY` piped into an HTTP insert, and
//! ClickHouse's own `postgresql()`, each followed by the mart's SQL. Ours alone knows what is loaded
//! already, checks that every reading is accounted for, and puts the day in at once and whole.

mod plain;
mod world;

use std::time::Instant;

use anyhow::ensure;
use bionicpro_proto::ingest::v1::RunState;
use bionicpro_tests::loader::Etl;
use bionicpro_tests::{processes, stack};
use tokio::runtime::Runtime;

use self::plain::Plain;
use self::world::{DAY, World};
use crate::process::{self, Process};
use crate::rounds::{self, Contender, Report, Sample};
use crate::services;
use crate::topics::Topics;

const ROUNDS: usize = 5;
/// The variable that says how many readings the day has, and how many it has without.
const READINGS_VARIABLE: &str = "BIONICPRO_BENCH_INGEST_READINGS";
const READINGS: usize = 2_000_000;
const TOPIC: &str = "bench-ingest.readings";
const GOAL: &str = "≤ 1.1 × the better one's seconds, < 250 MB";

/// Where everything happens.
struct Place<'a> {
    world: World,
    ingest: Process,
    etl: Etl<'a>,
    runtime: Runtime,
    /// Numbers of the stack's processes.
    clickhouse: u32,
    postgres: u32,
}

/// Runs the benchmark.
pub(crate) fn run() -> anyhow::Result<Report> {
    let topics = Topics::create(vec![(TOPIC.to_owned(), 1)])?;
    let readings = rounds::size(READINGS_VARIABLE, READINGS)?;
    let make = |source: &_, runs: &_| services::ingest(source, runs, TOPIC, &topics.new_group());
    let (world, ingest) = World::make(readings, make)?;
    let ingest = ingest.start()?;
    let runtime = Runtime::new()?;
    let address = format!("http://{}", ingest.address).parse()?;
    let etl = runtime.block_on(Etl::at(stack(), &address))?;
    let place = Place {
        world,
        ingest,
        etl,
        runtime,
        clickhouse: processes::Process::of(stack(), "clickhouse").pid()?,
        postgres: processes::Process::of(stack(), "postgres").pid()?,
    };
    let mut contenders: [Box<dyn Contender + '_>; 3] = [
        Box::new(Load {
            place: &place,
            way: Way::Run,
        }),
        Box::new(Load {
            place: &place,
            way: Way::Plain(Plain::Copy),
        }),
        Box::new(Load {
            place: &place,
            way: Way::Plain(Plain::Function),
        }),
    ];
    let comparison = rounds::compare("a day's load", GOAL, ROUNDS, &mut contenders)?;
    Ok(Report {
        comparisons: vec![comparison],
    })
}

/// How a day is loaded.
#[derive(Clone, Copy)]
enum Way {
    Run,
    Plain(Plain),
}

struct Load<'a> {
    place: &'a Place<'a>,
    way: Way,
}

impl Contender for Load<'_> {
    fn name(&self) -> &'static str {
        match self.way {
            Way::Run => "a run of ingest",
            Way::Plain(Plain::Copy) => "COPY piped into an HTTP insert, the mart's SQL",
            Way::Plain(Plain::Function) => "INSERT … SELECT FROM postgresql(), the mart's SQL",
        }
    }

    fn round(&mut self) -> anyhow::Result<Sample> {
        let place = self.place;
        place.world.forget()?;
        let before = place.cpu()?;
        let began = Instant::now();
        match self.way {
            Way::Run => place.run()?,
            Way::Plain(plain) => plain.load(&place.world)?,
        }
        let seconds = began.elapsed().as_secs_f64();
        let after = place.cpu()?;
        let mart = match self.way {
            Way::Run => world::OURS,
            Way::Plain(_) => world::PLAIN,
        };
        place.world.check(mart)?;
        #[allow(clippy::cast_precision_loss)]
        let readings = place.world.readings as f64;
        let used: Vec<f64> = after
            .iter()
            .zip(before)
            .map(|(one, other)| one - other)
            .collect();
        let mut sample = Sample::from([
            ("seconds", seconds),
            ("readings per second", readings / seconds),
            ("CPU-s", used.iter().sum::<f64>() / 1e6),
            ("of that, ClickHouse", used[1] / 1e6),
            ("of that, Postgres", used[2] / 1e6),
        ]);
        match self.way {
            Way::Run => {
                sample.insert("of that, ingest", used[0] / 1e6);
                sample.insert("peak resident MB", place.ingest.peak_resident_mb()?);
            }
            Way::Plain(_) => {
                sample.insert("of that, the pipe", used[3] / 1e6);
            }
        }
        Ok(sample)
    }
}

impl Place<'_> {
    /// CPU time of ingest, ClickHouse, Postgres and this process, in microseconds.
    fn cpu(&self) -> anyhow::Result<[f64; 4]> {
        Ok([
            self.ingest.cpu_us()?,
            process::cpu_us(self.clickhouse)?,
            process::ended_children_cpu_us(self.postgres)?,
            process::cpu_us(std::process::id())?,
        ])
    }

    fn run(&self) -> anyhow::Result<()> {
        let run = self.runtime.block_on(self.etl.load(DAY, DAY));
        ensure!(run.state() == RunState::Succeeded, "{}", run.failure);
        ensure!(run.readings_read == self.world.readings, "{run:?}");
        Ok(())
    }
}
