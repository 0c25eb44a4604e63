//! `cargo stack bench [NAME…]`: each benchmark measures the system and its
//! baselines in turn, in one run, and says medians and ratios as text and JSON.

mod backend;
mod baselines;
mod cdc;
mod cdn;
mod encoded;
mod export;
mod gateway;
mod ingest;
mod load;
mod process;
mod reporting;
mod rounds;
mod schema;
mod services;
mod session;
mod system;
mod telemetry;
mod topics;
mod warehouse;

use std::process::ExitCode;

use anyhow::{Context, bail};
use bionicpro_gateway::Config;
use bionicpro_tests::stack;

use crate::rounds::Report;

/// A benchmark: its name and how it is run.
type Benchmark = (&'static str, fn() -> anyhow::Result<Report>);

const BENCHMARKS: [Benchmark; 7] = [
    ("gateway", gateway::run),
    ("session", session::run),
    ("cdc", cdc::run),
    ("telemetry", telemetry::run),
    ("ingest", ingest::run),
    ("export", export::run),
    ("cdn", cdn::run),
];

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The program is also its own processes under measurement.
fn start() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(process::GATEWAY) => bionicpro_gateway::run(Config::from_process(), backend::policies),
        Some(process::BACKEND) => backend::serve(false),
        Some(process::TONIC_WEB) => backend::serve(true),
        _ => measure(&arguments),
    }
}

#[expect(clippy::print_stdout, reason = "the reports are this program's output")]
fn measure(names: &[String]) -> anyhow::Result<()> {
    for name in names {
        if BENCHMARKS.iter().all(|(known, _)| known != name) {
            let known = BENCHMARKS.map(|(known, _)| known).join(", ");
            bail!("there is no benchmark {name:?}; there are: {known}");
        }
    }
    let folder = stack().directories.state.join("benches");
    std::fs::create_dir_all(&folder)?;
    for (name, run) in BENCHMARKS {
        if !names.is_empty() && !names.iter().any(|asked| asked == name) {
            continue;
        }
        let report = run().with_context(|| format!("the benchmark {name}"))?;
        let file = folder.join(format!("{name}.json"));
        std::fs::write(&file, serde_json::to_string_pretty(&report)? + "\n")?;
        println!("{report}As JSON: {}\n", file.display());
    }
    Ok(())
}
