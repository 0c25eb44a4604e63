//! Parts whose manifest is a `pom.xml`.

use std::{fs, path::Path, process::Command};

use anyhow::Result;

use crate::{cache::Workshop, exec};

/// Runs a goal of the dependency plugin with the `pom.xml` of `part`, its
/// result below `target`. Maven runs in the workshop: beside its pom it keeps
/// marks of what it has done, which would make it skip the next time.
pub(super) fn run(workshop: &Workshop<'_>, part: &str, goal: &str, target: &str) -> Result<()> {
    let folder = workshop.into.join(".maven");
    fs::create_dir_all(&folder)?;
    fs::copy(
        workshop.stack.join(part).join("pom.xml"),
        folder.join("pom.xml"),
    )?;
    exec::logged(
        Command::new("mvn")
            .args(["--batch-mode", "--quiet", goal])
            .arg(output_directory(&workshop.into.join(target)))
            .current_dir(&folder),
        &workshop.log,
    )?;
    fs::remove_dir_all(folder).map_err(Into::into)
}

fn output_directory(folder: &Path) -> String {
    format!("-DoutputDirectory={}", folder.display())
}
