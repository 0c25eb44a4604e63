//! `cargo stack up`: everything from an empty machine to a ready stack, in one
//! order. Each step changes nothing that is done already, so that an
//! interrupted `up` is completed by the next one.

pub(super) mod load;
mod provision;
mod summary;

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use self::summary::Timings;
use crate::{
    cli, commands,
    lock::Lock,
    parts::{self, Part, Site, Stage, services, tools},
    preflight::{self, Plan},
    progress::{Progress, Task},
    seed,
    supervisor::Supervisor,
    templates,
};

/// How long a part may take from its start to ready.
const READY_LIMIT: Duration = Duration::from_secs(300);

pub(super) fn run(site: &Site, options: &cli::Up) -> Result<()> {
    let started = Instant::now();
    let _lock = Lock::take(&site.topology.directories.state)?;
    let selected = select(options)?;
    let supervisor = Supervisor::new(&site.checkout, &site.topology)?;
    make_room(&supervisor, &selected)?;
    let starting = supervisor.not_running(&selected)?;
    preflight::check(&Plan {
        checkout: &site.checkout,
        topology: &site.topology,
        starting: &starting,
    })?;

    let up = Up {
        site,
        selected,
        supervisor,
        progress: Progress::new(),
        timings: Timings::default(),
    };
    provision::run(site, &up.selected, &up.progress, &up.timings)?;
    tools::link(&site.checkout)?;
    templates::write_all(&site.checkout, &site.topology)?;
    up.supervisor.start()?;
    up.start_what_joins()?;
    up.start(Stage::Stores)?;
    let seeded = up.seed_and_start_platforms()?;
    up.migrate()?;
    up.start(Stage::Services)?;
    up.load(seeded.as_ref())?;
    up.start(Stage::Door)?;
    let pending = up.pending()?;
    summary::print(site, &up.selected, &up.timings, started.elapsed());
    summary::print_pending(&pending);
    Ok(())
}

/// The parts that are asked for, in the order in which they start.
pub(super) fn select(options: &cli::Up) -> Result<Vec<&'static dyn Part>> {
    let cli::Up {
        with,
        without,
        only,
    } = options;
    for name in with.iter().chain(without).chain(only) {
        parts::find(name)?;
    }
    let among = |names: &[String], name: &str| names.iter().any(|it| it == name);
    let replaced: Vec<&str> = parts::ALL
        .iter()
        .filter(|part| among(with, part.name()))
        .flat_map(|part| part.instead_of())
        .copied()
        .collect();
    let by_default = |part: &dyn Part| {
        part.instead_of().is_empty() && !replaced.contains(&part.name()) || among(with, part.name())
    };
    let wanted = |part: &dyn Part| match only.as_slice() {
        [] => by_default(part) && !among(without, part.name()),
        only => among(only, part.name()),
    };
    Ok(parts::ALL
        .iter()
        .copied()
        .filter(|part| wanted(*part))
        .collect())
}

/// Stops what runs in the place of what is selected: both have the same addresses.
fn make_room(supervisor: &Supervisor, selected: &[&'static dyn Part]) -> Result<()> {
    if supervisor.running()? {
        for part in in_the_way(selected) {
            supervisor.stop_process(part.name())?;
        }
    }
    Ok(())
}

/// The parts that cannot run beside the selected ones: the last to start first.
fn in_the_way(selected: &[&'static dyn Part]) -> Vec<&'static dyn Part> {
    let replaces = |one: &dyn Part, other: &dyn Part| one.instead_of().contains(&other.name());
    let excludes = |one: &dyn Part| {
        let mut others = selected.iter();
        others.any(|other| replaces(one, *other) || replaces(*other, one))
    };
    let parts = parts::ALL.iter().rev().copied();
    parts.filter(|part| excludes(*part)).collect()
}

struct Up<'a> {
    site: &'a Site,
    selected: Vec<&'static dyn Part>,
    supervisor: Supervisor,
    progress: Progress,
    timings: Timings,
}

impl Up<'_> {
    fn selected(&self, name: &str) -> bool {
        self.selected.iter().any(|part| part.name() == name)
    }

    /// Starts the parts of a stage side by side and waits for all of them.
    fn start(&self, stage: Stage) -> Result<()> {
        let parts: Vec<_> = self
            .selected
            .iter()
            .filter(|part| part.stage() == stage && !part.joins())
            .collect();
        let errors: Vec<String> = thread::scope(|scope| {
            let starts: Vec<_> = parts
                .iter()
                .map(|part| scope.spawn(|| self.start_part(**part)))
                .collect();
            starts
                .into_iter()
                .filter_map(|start| start.join().ok()?.err())
                .map(|error| format!("{error:#}"))
                .collect()
        });
        if !errors.is_empty() {
            bail!("{}", errors.join("\n"));
        }
        Ok(())
    }

    /// Starts the parts that nothing waits for.
    fn start_what_joins(&self) -> Result<()> {
        for part in self.selected.iter().filter(|part| part.joins()) {
            part.prepare(self.site)?;
            self.supervisor.start_process(part.name())?;
        }
        Ok(())
    }

    /// The parts that have not joined yet.
    fn pending(&self) -> Result<Vec<&'static str>> {
        let processes = self.supervisor.processes()?;
        let ready = |name: &str| processes.iter().any(|it| it.name == name && it.ready());
        let joining = self.selected.iter().filter(|part| part.joins());
        let names = joining.map(|part| part.name());
        Ok(names.filter(|name| !ready(name)).collect())
    }

    fn start_part(&self, part: &'static dyn Part) -> Result<()> {
        self.timed(part.name(), "ready", |task| {
            task.step("starting");
            self.bring_up(part)
        })
    }

    fn bring_up(&self, part: &'static dyn Part) -> Result<()> {
        if !self.supervisor.process(part.name())?.active() {
            part.prepare(self.site)?;
            self.supervisor.start_process(part.name())?;
        }
        self.supervisor.wait_ready(part.name(), READY_LIMIT)?;
        part.configure(self.site)
    }

    /// Seeds while Keycloak and Connect start: neither waits for the other.
    fn seed_and_start_platforms(&self) -> Result<Option<seed::Plan>> {
        thread::scope(|scope| {
            let seeding = scope.spawn(|| self.seed());
            self.start(Stage::Platforms)?;
            seeding
                .join()
                .unwrap_or_else(|_| bail!("seeding broke off"))
        })
    }

    /// Answers what the databases hold, where they are part of this stack.
    fn seed(&self) -> Result<Option<seed::Plan>> {
        if !self.selected("postgres") {
            return Ok(None);
        }
        self.timed("seed", "rows are there", |task| {
            commands::seed::default(self.site, task)
        })
        .map(Some)
    }

    /// Makes the tables of our services.
    fn migrate(&self) -> Result<()> {
        for owner in services::OWNERS_OF_TABLES
            .iter()
            .filter(|owner| self.selected(owner))
        {
            self.timed("migrations", "tables are there", |task| {
                task.step(&format!("making the tables of {owner}"));
                self.supervisor
                    .run_to_end(&format!("{owner}-migrate"), READY_LIMIT)
            })?;
        }
        Ok(())
    }

    /// Brings what was seeded to where reports read it.
    fn load(&self, seeded: Option<&seed::Plan>) -> Result<()> {
        // Without the CRM's changes nobody knows whose the readings are: no run would start.
        if !(self.selected("cdc") && self.selected("debezium")) {
            return Ok(());
        }
        self.timed("changes", "in ClickHouse", |task| {
            load::wait_for_changes(self.site, task)
        })?;
        if let Some(plan) = seeded.filter(|_| self.selected("ingest")) {
            self.timed("datamart", "the seeded days are loaded", |task| {
                load::load_days(self.site, plan, task)
            })?;
        }
        Ok(())
    }

    /// Shows and measures a step between the starts of parts.
    fn timed<T>(
        &self,
        name: &'static str,
        done: &str,
        work: impl FnOnce(&Task) -> Result<T>,
    ) -> Result<T> {
        let task = self.progress.task(name);
        let outcome = work(&task);
        match outcome {
            Ok(_) => self.timings.started(name, task.done(done)),
            Err(_) => task.failed(),
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &cli::Up) -> Vec<&'static str> {
        select(options)
            .expect("known parts")
            .iter()
            .map(|part| part.name())
            .collect()
    }

    #[test]
    fn parts_can_be_left_out() {
        let without = names(&cli::Up {
            without: vec!["redis".into()],
            ..Default::default()
        });
        assert!(!without.contains(&"redis") && without.contains(&"postgres"));
    }

    #[test]
    fn a_part_that_stands_in_the_place_of_others_starts_only_when_it_is_asked_for() {
        let default = names(&cli::Up::default());
        assert!(default.contains(&"s3") && !default.contains(&"minio"));
        let with = names(&cli::Up {
            with: vec!["minio".into()],
            ..Default::default()
        });
        assert!(with.contains(&"minio"));
        assert!(!with.contains(&"s3") && !with.contains(&"s3-console"));
        assert_eq!(with.len(), default.len() - 1);
    }

    #[test]
    fn what_stands_in_the_place_of_a_selected_part_makes_room() {
        let in_the_way = |options: &cli::Up| -> Vec<_> {
            let selected = select(options).expect("known parts");
            in_the_way(&selected).iter().map(|it| it.name()).collect()
        };
        assert_eq!(in_the_way(&cli::Up::default()), ["minio"]);
        let with = cli::Up {
            with: vec!["minio".into()],
            ..Default::default()
        };
        assert_eq!(in_the_way(&with), ["s3-console", "s3"]);
    }

    #[test]
    fn parts_can_be_picked() {
        assert_eq!(
            names(&cli::Up {
                only: vec!["redis".into()],
                ..Default::default()
            }),
            ["redis"]
        );
    }

    #[test]
    fn an_unknown_part_is_refused() {
        assert!(
            select(&cli::Up {
                without: vec!["mysql".into()],
                ..Default::default()
            })
            .is_err()
        );
    }
}
