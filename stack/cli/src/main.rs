//! `cargo stack`: the real parts of the mesh on this machine, without
//! containers. Only dispatch lives here; see `cli` for what can be asked.

mod cache;
mod checkout;
mod cli;
mod commands;
mod exec;
mod grpc;
mod http;
mod lock;
mod packages;
mod parts;
mod preflight;
mod progress;
#[cfg(test)]
mod scratch;
mod seed;
mod supervisor;
mod templates;
mod topology;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match commands::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
