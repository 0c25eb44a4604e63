//! Fetches and builds side by side: Debian packages and then the services,
//! the app, and every part that comes into the cache.

use std::thread;

use anyhow::{Result, bail};

use super::summary::Timings;
use crate::{
    cache::Recipe,
    commands::build,
    packages,
    parts::{Part, Site, Stage, tools},
    progress::{Progress, Task},
};

pub(super) fn run(
    site: &Site,
    selected: &[&'static dyn Part],
    progress: &Progress,
    timings: &Timings,
) -> Result<()> {
    let ours = selected.iter().any(|part| part.stage() >= Stage::Services);
    let door = selected.iter().any(|part| part.stage() == Stage::Door);
    let awaited = selected.iter().filter(|part| !part.joins());
    let recipes: Vec<Recipe> = std::iter::once(tools::RECIPE)
        .chain(awaited.filter_map(|part| part.recipe()))
        .collect();

    let errors: Vec<String> = thread::scope(|scope| {
        let mut work = vec![scope.spawn(move || {
            timed(progress, timings, "packages", |task| {
                packages::install(&site.checkout, task).map(|()| "installed")
            })?;
            if ours {
                timed(progress, timings, "services", |task| {
                    build::services(site, task).map(|()| "built")
                })?;
            }
            Ok(())
        })];
        if door {
            work.push(scope.spawn(move || {
                timed(progress, timings, "app", |task| {
                    build::app(site, task).map(|()| "built")
                })
            }));
        }
        for recipe in recipes {
            work.push(scope.spawn(move || {
                timed(progress, timings, recipe.name, |task| {
                    let provisioned = recipe.provision(&site.checkout, &|step| task.step(step))?;
                    Ok(provisioned.shown())
                })
            }));
        }
        work.into_iter()
            .filter_map(|work| work.join().ok()?.err())
            .map(|error: anyhow::Error| format!("{error:#}"))
            .collect()
    });
    if !errors.is_empty() {
        bail!("{}", errors.join("\n"));
    }
    Ok(())
}

fn timed(
    progress: &Progress,
    timings: &Timings,
    name: &'static str,
    work: impl FnOnce(&Task) -> Result<&'static str>,
) -> Result<()> {
    let task = progress.task(name);
    match work(&task) {
        Ok(outcome) => {
            timings.provisioned(name, task.done(outcome));
            Ok(())
        }
        Err(error) => {
            task.failed();
            Err(error)
        }
    }
}
