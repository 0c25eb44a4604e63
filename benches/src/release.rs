//! Release builds of our own services, beside this program.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use crate::baselines;

/// Builds a service as the benchmarks are built; answers its program.
pub(crate) fn build(package: &str) -> anyhow::Result<PathBuf> {
    baselines::run(
        Command::new("cargo")
            .args(["build", "--release", "--locked", "--package", package])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR"))),
    )?;
    let program = std::env::current_exe()?.with_file_name(package);
    ensure!(
        program.exists(),
        "run the benchmarks with `cargo stack bench`"
    );
    Ok(program)
}
