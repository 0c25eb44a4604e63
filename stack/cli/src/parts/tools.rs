//! The Go tools: process-compose, which supervises, and grpcurl, for people
//! and for the steps that call our services.

use std::{os::unix::fs::symlink, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{
    cache::{Recipe, Workshop},
    checkout::Checkout,
    exec,
};

/// Builds what `stack/tools/go.mod` names.
pub(crate) const RECIPE: Recipe = Recipe {
    name: "tools",
    manifest: &["tools/go.mod", "tools/go.sum"],
    revision: 1,
    build,
};

/// Builds what `stack/tools/cargo-tools.txt` names; only the test suites need it.
pub(crate) const CARGO_RECIPE: Recipe = Recipe {
    name: "cargo-tools",
    manifest: &["tools/cargo-tools.txt"],
    revision: 1,
    build: build_cargo_tools,
};

/// Reads the files for containers with their projects' own parsers; only a test suite needs it.
pub(crate) const INSPECT_RECIPE: Recipe = Recipe {
    name: "compose-inspect",
    manifest: &[
        "compose/inspect/go.mod",
        "compose/inspect/go.sum",
        "compose/inspect/context.go",
        "compose/inspect/main.go",
    ],
    revision: 1,
    build: build_inspect,
};

fn build_inspect(workshop: &Workshop<'_>) -> Result<()> {
    (workshop.say)("building the parsers");
    exec::logged(
        Command::new("go")
            .args(["build", "-trimpath", "-o"])
            .arg(workshop.into.join("inspect"))
            .arg(".")
            .current_dir(workshop.stack.join("compose/inspect")),
        &workshop.log,
    )
}

fn build_cargo_tools(workshop: &Workshop<'_>) -> Result<()> {
    let list = std::fs::read_to_string(workshop.stack.join("tools/cargo-tools.txt"))?;
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let (name, version) = line
            .split_once(' ')
            .with_context(|| format!("{line:?} is no name with a version"))?;
        (workshop.say)(&format!("building {name}"));
        exec::logged(
            exec::cargo()
                .args(["install", "--locked", "--version", version, name, "--root"])
                .arg(workshop.into)
                .env("CARGO_TARGET_DIR", workshop.into.join("target")),
            &workshop.log,
        )?;
    }
    std::fs::remove_dir_all(workshop.into.join("target")).map_err(Into::into)
}

fn build(workshop: &Workshop<'_>) -> Result<()> {
    (workshop.say)("building process-compose and grpcurl");
    exec::logged(
        Command::new("go")
            .args(["install", "-trimpath", "-ldflags=-s -w", "tool"])
            .env("GOBIN", workshop.into)
            .current_dir(workshop.stack.join("tools")),
        &workshop.log,
    )
}

/// Lays the tools out in `.stack/bin`, where people and the README find them.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn link(checkout: &Checkout) -> Result<()> {
    let bin = checkout.state().join("bin");
    std::fs::create_dir_all(&bin)?;
    for tool in ["process-compose", "grpcurl"] {
        let link = bin.join(tool);
        let target = RECIPE.folder(checkout)?.join(tool);
        if std::fs::read_link(&link).is_ok_and(|existing| existing == target) {
            continue;
        }
        let _ = std::fs::remove_file(&link);
        symlink(target, link)?;
    }
    Ok(())
}

/// Where a tool lies in the cache.
///
/// # Errors
/// When the manifest cannot be read.
pub(crate) fn path(checkout: &Checkout, tool: &str) -> Result<PathBuf> {
    Ok(RECIPE.folder(checkout)?.join(tool))
}
