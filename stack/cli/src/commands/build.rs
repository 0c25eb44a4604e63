//! Builds what is ours: the services by cargo, the app by npm.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    cache::{lock, short_hash},
    exec, packages,
    parts::{Site, services},
    progress::{Progress, Task},
};

/// Builds all binaries of the workspace and installs those of the stack.
pub(super) fn services(site: &Site, task: &Task) -> Result<()> {
    task.step("building the services");
    exec::logged(
        exec::cargo()
            .args(["build", "--locked", "--workspace", "--bins"])
            .current_dir(site.checkout.root()),
        &log(site, "build-services")?,
    )?;
    install_binaries(&built_binaries(site), &site.topology.directories.binaries)
}

fn built_binaries(site: &Site) -> PathBuf {
    target(site).join("debug")
}

/// Where cargo puts what it builds.
pub(super) fn target(site: &Site) -> PathBuf {
    let root = site.checkout.root();
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// Gives a stack the binaries that were built, as files of its own: another
/// stack's build does not change what this one starts.
fn install_binaries(built: &Path, into: &Path) -> Result<()> {
    fs::create_dir_all(into)?;
    for name in services::NAMES {
        let binary = format!("bionicpro-{name}");
        let fresh = into.join(format!("{binary}.new"));
        let _ = fs::remove_file(&fresh);
        let built = built.join(&binary);
        // Cargo never writes into a file that it has linked: it makes another.
        fs::hard_link(&built, &fresh)
            .or_else(|_| fs::copy(&built, &fresh).map(drop))
            .with_context(|| format!("{} cannot be installed", built.display()))?;
        fs::rename(&fresh, into.join(binary))?;
    }
    Ok(())
}

/// Builds the app unless nothing that goes into it has changed, and gives it to
/// the stack.
pub(super) fn app(site: &Site, task: &Task) -> Result<()> {
    let _lock = lock_app(site, task)?;
    let frontend = site.checkout.root().join("frontend");
    let hash = hash_of(&[frontend.clone(), site.checkout.root().join("proto")])?;
    let built = frontend.join("dist");
    let stamp = site.checkout.state().join("app.hash");
    if !is_from(&hash, &built, &stamp) {
        let log = log(site, "build-app")?;
        install_app_packages(site, task, &log)?;
        task.step("building the app");
        exec::logged(
            Command::new("npm")
                .args(["run", "build"])
                .current_dir(&frontend),
            &log,
        )?;
        fs::write(stamp, &hash)?;
    }
    install_app(&hash, &built, &site.topology.gateway.app_dir)
}

/// The app's packages and its build lie in the checkout, which has two stacks.
fn lock_app(site: &Site, task: &Task) -> Result<File> {
    lock(&site.checkout.state(), "app", &|step| task.step(step))
}

fn install_app(hash: &str, built: &Path, into: &Path) -> Result<()> {
    let stamp = into.with_extension("hash");
    if is_from(hash, into, &stamp) {
        return Ok(());
    }
    let fresh = into.with_extension("new");
    for folder in [&fresh, into] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    copy_folder(built, &fresh)?;
    fs::rename(fresh, into)?;
    fs::write(stamp, hash).map_err(Into::into)
}

/// Whether the app in `folder` was built from sources with this hash.
fn is_from(hash: &str, folder: &Path, stamp: &Path) -> bool {
    folder.join("index.html").is_file() && fs::read_to_string(stamp).is_ok_and(|of| of == hash)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Installs what the app's own checks and builds need: its packages, buf among
/// them, and the contracts that ours import.
pub(super) fn app_packages(site: &Site) -> Result<()> {
    let task = Progress::new().task("app");
    let _lock = lock_app(site, &task)?;
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
        exec::cargo()
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
    fn a_stack_keeps_its_binaries_when_others_are_built() {
        let scratch = Scratch::new("binaries");
        let (built, installed) = (scratch.path().join("built"), scratch.path().join("bin"));
        fs::create_dir_all(&built).expect("writable");
        let build = |content: &str| {
            for name in services::NAMES {
                let binary = built.join(format!("bionicpro-{name}"));
                // As cargo does it.
                let _ = fs::remove_file(&binary);
                fs::write(binary, content).expect("writable");
            }
        };
        let is = || fs::read_to_string(installed.join("bionicpro-auth")).expect("installed");

        build("one");
        install_binaries(&built, &installed).expect("installable");
        build("two");
        assert_eq!(is(), "one");
        install_binaries(&built, &installed).expect("installable");
        assert_eq!(is(), "two");
    }

    #[test]
    fn a_stack_keeps_its_app_until_it_is_given_another() {
        let scratch = Scratch::new("app");
        let (built, installed) = (scratch.path().join("dist"), scratch.path().join("app"));
        fs::create_dir_all(built.join("assets")).expect("writable");
        let is = || fs::read_to_string(installed.join("assets/app.js")).expect("installed");
        fs::write(built.join("index.html"), "").expect("writable");
        fs::write(built.join("assets/app.js"), "one").expect("writable");
        install_app("1", &built, &installed).expect("installable");

        fs::write(built.join("assets/app.js"), "two").expect("writable");
        install_app("1", &built, &installed).expect("nothing to do");
        assert_eq!(is(), "one");
        install_app("2", &built, &installed).expect("installable");
        assert_eq!(is(), "two");
    }

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
