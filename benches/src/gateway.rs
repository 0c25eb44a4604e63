//! What a call through the gateway costs the gateway: a unary one and a stream
//! of 1,000 messages. Each asks auth about the session. Baselines: the service
//! with tonic-web and no gateway, and Envoy, both without any session work.

use std::sync::Arc;

use crate::backend::{self, STREAM_BYTES, STREAM_MESSAGES, UNARY_BYTES};
use crate::baselines;
use crate::load::{Load, check_grpc_web};
use crate::process::{self, Process};
use crate::rounds::{Contender, Report, Sample, compare};
use crate::system::{self, Port, System};

const ROUNDS: usize = 5;
const UNARY_CALLS: usize = 20_000;
const STREAM_CALLS: usize = 1_600;

/// One way from the page to the service.
struct Way<'a> {
    name: &'static str,
    process: &'a Process,
    load: Load,
    calls: usize,
}

impl Contender for Way<'_> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn round(&mut self) -> anyhow::Result<Sample> {
        let before = self.process.cpu_us()?;
        let (calls, elapsed) = self.load.run(self.calls)?;
        let used = self.process.cpu_us()? - before;
        #[allow(clippy::cast_precision_loss)]
        let calls = calls as f64;
        Ok(Sample::from([
            ("CPU-µs per call", used / calls),
            ("calls per second", calls / elapsed.as_secs_f64()),
            ("resident MB", self.process.resident_mb()?),
        ]))
    }
}

/// Runs the benchmark.
pub(crate) fn run() -> anyhow::Result<Report> {
    let ticket = system::session_ticket()?;
    let backend = Process::of_our_own(process::BACKEND, Port::Backend.address(), &[])?;
    let system = System::start(Port::Backend, &[])?;
    let direct = Process::of_our_own(process::TONIC_WEB, Port::TonicWeb.address(), &[])?;
    let envoy = baselines::envoy(Port::Envoy.address(), backend.address)?;
    let ways = [
        ("gateway, session checked with auth", &system.gateway),
        ("tonic-web in the service, no gateway", &direct),
        ("Envoy 1.40, no session", &envoy),
    ];
    let mut unary: Vec<Box<dyn Contender + '_>> = Vec::new();
    let mut stream: Vec<Box<dyn Contender + '_>> = Vec::new();
    for (name, process) in ways {
        let check = Arc::new(check_grpc_web::<1, UNARY_BYTES>);
        let load = system::page(process.address, backend::UNARY, &ticket, check)?;
        let calls = UNARY_CALLS;
        unary.push(Box::new(Way {
            name,
            process,
            load,
            calls,
        }));
        let check = Arc::new(check_grpc_web::<STREAM_MESSAGES, STREAM_BYTES>);
        let load = system::page(process.address, backend::STREAM, &ticket, check)?;
        let calls = STREAM_CALLS;
        stream.push(Box::new(Way {
            name,
            process,
            load,
            calls,
        }));
    }
    Ok(Report {
        comparisons: vec![
            compare(
                "grpc-web unary call, 1 KB",
                "≤ 40 CPU-µs with a cached session check; this one is not cached",
                ROUNDS,
                &mut unary,
            )?,
            compare(
                "grpc-web stream of 1,000 messages, 100 bytes each",
                "≤ 190 CPU-µs with a cached session check; this one is not cached",
                ROUNDS,
                &mut stream,
            )?,
        ],
    })
}
