//! Builds what is ours: the services by cargo, the app by npm.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    cache::short_hash,
    exec, packages,
    parts::Site,
    progress::{Progress, Task},
};

/// Builds all binaries of the workspace.
pub(super) fn services(site: &Site, task: &Task) -> Result<()> {
    task.step("building the services");
    exec::logged(
        Command::new("cargo")
            .args(["build", "--locked", "--workspace", "--bins"])
            .current_dir(site.checkout.root()),
        &log(site, "build-services")?,
    )
}

/// Builds the app unless nothing that goes into it has changed.
pub(super) fn app(site: &Site, task: &Task) -> Result<()> {
    let frontend = site.checkout.root().join("frontend");
    if !frontend.join("package.json").is_file() {
        return Ok(());
    }
    let stamp = site.checkout.state().join("app.hash");
    let hash = hash_of(&[frontend.clone(), site.checkout.root().join("proto")])?;
    if frontend.join("dist/index.html").is_file()
        && fs::read_to_string(&stamp).is_ok_and(|built| built == hash)
    {
        return Ok(());
    }
    let log = log(site, "build-app")?;
    install_app_packages(site, task, &log)?;
    task.step("building the app");
    exec::logged(
        Command::new("npm")
            .args(["run", "build"])
            .current_dir(&frontend),
        &log,
    )?;
    fs::write(stamp, hash).map_err(Into::into)
}

/// Installs what the app's own checks and builds need: its packages, buf among
/// them, and the contracts that ours import.
pub(super) fn app_packages(site: &Site) -> Result<()> {
    let task = Progress::new().task("app");
    install_app_packages(site, &task, &log(site, "build-app")?)?;
    task.done("packages are there");
    Ok(())
}

/// Installs the Debian packages: some are needed to build our crates.
pub(super) fn packages(site: &Site) -> Result<()> {
    let task = Progress::new().task("packages");
    packages::install(&site.checkout, &task)?;
    task.done("installed");
    Ok(())
}

/// Installs the app's packages as its lock file names them, unless they are.
fn install_app_packages(site: &Site, task: &Task, log: &Path) -> Result<()> {
    third_party_contracts(site)?;
    let frontend = site.checkout.root().join("frontend");
    let stamp = frontend.join("node_modules/.bionicpro-lock-hash");
    let hash = short_hash([fs::read(frontend.join("package-lock.json"))?.as_slice()]);
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == hash) {
        return Ok(());
    }
    task.step("fetching the app's packages");
    exec::logged(
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(&frontend),
        log,
    )?;
    fs::write(stamp, hash).map_err(Into::into)
}

/// Lays `buf/validate/validate.proto` out under `.stack/proto`, where buf looks
/// for it: it is in the source of a crate and is not committed twice.
fn third_party_contracts(site: &Site) -> Result<()> {
    const FILE: &str = "buf/validate/validate.proto";
    let target = site.checkout.state().join("proto").join(FILE);
    if target.is_file() {
        return Ok(());
    }
    let metadata = exec::output(
        Command::new("cargo")
            .args(["metadata", "--locked", "--format-version", "1"])
            .current_dir(site.checkout.root()),
    )?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let manifest = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == "prost-protovalidate-types")
        .and_then(|package| package["manifest_path"].as_str())
        .context("the workspace does not depend on prost-protovalidate-types")?;
    let source = Path::new(manifest).with_file_name("proto").join(FILE);
    fs::create_dir_all(target.parent().unwrap_or(Path::new("/")))?;
    fs::copy(&source, &target).with_context(|| format!("{} cannot be copied", source.display()))?;
    Ok(())
}

fn log(site: &Site, name: &str) -> Result<PathBuf> {
    let logs = site.checkout.state().join("logs");
    fs::create_dir_all(&logs)?;
    let log = logs.join(format!("{name}.log"));
    fs::write(&log, "")?;
    Ok(log)
}

/// The hash of all source files below `folders`.
fn hash_of(folders: &[PathBuf]) -> Result<String> {
    let mut files = Vec::new();
    for folder in folders {
        collect(folder, &mut files)?;
    }
    files.sort();
    let mut contents = Vec::with_capacity(files.len() * 2);
    for file in files {
        contents.push(file.as_os_str().as_encoded_bytes().to_vec());
        contents.push(fs::read(&file)?);
    }
    Ok(short_hash(contents.iter().map(Vec::as_slice)))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    const MADE: &[&str] = &[
        "node_modules",
        "dist",
        "gen",
        "test-results",
        "playwright-report",
        "e2e",
    ];
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if MADE.iter().any(|made| entry.file_name() == *made) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn only_sources_count_as_a_change_of_the_app() {
        let scratch = Scratch::new("app-hash");
        let folders = [scratch.path().to_owned()];
        fs::write(scratch.path().join("main.ts"), "one").expect("writable");
        let before = hash_of(&folders).expect("readable");

        fs::create_dir_all(scratch.path().join("dist")).expect("writable");
        fs::write(scratch.path().join("dist/app.js"), "built").expect("writable");
        assert_eq!(hash_of(&folders).expect("readable"), before);

        fs::write(scratch.path().join("main.ts"), "two").expect("writable");
        assert_ne!(hash_of(&folders).expect("readable"), before);
    }
}
