//! One module a command; this one picks it.

mod bench;
mod build;
mod container_steps;
mod doctor;
mod down;
mod logs;
mod provision;
mod restart;
mod seed;
mod simulate;
mod sql;
mod status;
mod test;
mod token;
mod up;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::{
    checkout::{Checkout, Profile},
    cli::{Cli, Command},
    parts::Site,
    templates,
    topology::Topology,
};

/// Does what was asked.
///
/// # Errors
/// When it could not be done; the message says what to do about it.
pub(crate) fn run(cli: Cli) -> Result<ExitCode> {
    let checkout = Checkout::find()?;
    let site = Site {
        topology: Topology::new(&checkout, cli.profile)?,
        checkout,
    };
    if cli.profile == Profile::Compose && !has_meaning_in_containers(&cli.command) {
        bail!("the Compose stack is started by `docker compose up`; here it can only be rendered");
    }
    match cli.command {
        Command::Up(options) => up::run(&site, &options)?,
        Command::Down => down::run(&site)?,
        Command::Reset => down::reset(&site)?,
        Command::Restart { part } => restart::run(&site, &part)?,
        Command::Status => status::run(&site)?,
        Command::Logs { part, follow } => logs::run(&site, &part, follow)?,
        Command::Doctor => doctor::run(&site)?,
        Command::Render => render(&site)?,
        Command::Configure { parts } => container_steps::configure(&site, &parts)?,
        Command::Load => container_steps::load(&site)?,
        Command::Seed(options) => seed::run(&site, &options)?,
        Command::Simulate(options) => simulate::run(&site, &options)?,
        Command::Test { suites, with } => return test::run(&site.checkout, &suites, with),
        Command::Bench { names } => return bench::run(&site, &names),
        Command::Provision { part } => provision::run(&site, &part)?,
        Command::Token { client } => token::run(&site, &client)?,
        Command::Sql {
            database,
            statement,
        } => return sql::run(&site, &database, statement.as_deref()),
    }
    Ok(ExitCode::SUCCESS)
}

fn has_meaning_in_containers(command: &Command) -> bool {
    matches!(
        command,
        Command::Render | Command::Configure { .. } | Command::Load | Command::Seed(_)
    )
}

fn render(site: &Site) -> Result<()> {
    for file in templates::write_all(&site.checkout, &site.topology)? {
        println!("{}", file.display());
    }
    Ok(())
}
