//! Keycloak: the distribution from Maven, augmented once in the cache; each
//! profile runs it from a home of links with data of its own. The realm is the
//! one of `stack/keycloak/realm.json.j2`, also after that has changed.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use anyhow::{Context, Result};

use super::{Part, Site, Stage, maven};
use crate::{
    cache::{Recipe, Workshop},
    exec, http,
    topology::{Port, Topology},
};

/// The identity provider.
pub(super) struct Keycloak;

const RECIPE: Recipe = Recipe {
    name: "keycloak",
    manifest: &["keycloak/pom.xml", "keycloak/build.conf"],
    revision: 1,
    build,
};

impl Part for Keycloak {
    fn name(&self) -> &'static str {
        "keycloak"
    }

    fn stage(&self) -> Stage {
        Stage::Platforms
    }

    fn ports(&self, topology: &Topology) -> Vec<Port> {
        vec![
            Port {
                number: topology.keycloak.port,
                purpose: "keycloak",
            },
            Port {
                number: topology.keycloak.management_port,
                purpose: "keycloak's health and metrics",
            },
        ]
    }

    fn recipe(&self) -> Option<Recipe> {
        Some(RECIPE)
    }

    fn prepare(&self, site: &Site) -> Result<()> {
        let home = site.topology.part_state("keycloak").join("home");
        lay_out_home(&RECIPE.folder(&site.checkout)?, &home)
    }

    /// Makes the realm, and makes it anew where its declaration has changed: Keycloak's own import
    /// leaves a realm as it is.
    fn configure(&self, site: &Site) -> Result<()> {
        let state = site.topology.part_state("keycloak");
        let declared = fs::read_to_string(state.join("realm.json"))
            .context("stack/keycloak/realm.json.j2 has not been rendered")?;
        let made = state.join("realm.made.json");
        if fs::read_to_string(&made).is_ok_and(|made| made == declared) {
            return Ok(());
        }
        http::replace_realm(&site.topology, &declared)?;
        fs::write(made, declared)?;
        Ok(())
    }
}

/// `kc.sh` finds its home by resolving its own path, so `bin` is a copy; the
/// rest is linked, and only `data` is written to.
fn lay_out_home(distribution: &Path, home: &Path) -> Result<()> {
    let bin = home.join("bin");
    fs::create_dir_all(&bin)?;
    fs::copy(distribution.join("bin/kc.sh"), bin.join("kc.sh"))?;
    for folder in ["conf", "lib", "providers", "themes"] {
        let link = home.join(folder);
        let target = distribution.join(folder);
        if fs::read_link(&link).is_ok_and(|existing| existing == target) {
            continue;
        }
        let _ = fs::remove_file(&link);
        symlink(target, link)?;
    }
    Ok(())
}

fn build(workshop: &Workshop<'_>) -> Result<()> {
    (workshop.say)("fetching the distribution");
    let unpacked = workshop.into.join("unpacked");
    maven::run(workshop, "keycloak", "dependency:unpack", "unpacked")?;
    let distribution = fs::read_dir(&unpacked)?
        .filter_map(Result::ok)
        .find(|entry| entry.file_name().to_string_lossy().starts_with("keycloak-"))
        .context("the archive holds no keycloak folder")?
        .path();
    for entry in fs::read_dir(&distribution)? {
        let entry = entry?;
        fs::rename(entry.path(), workshop.into.join(entry.file_name()))?;
    }
    fs::remove_dir_all(unpacked)?;

    (workshop.say)("building its optimized form");
    fs::copy(
        workshop.stack.join("keycloak/build.conf"),
        workshop.into.join("conf/keycloak.conf"),
    )?;
    exec::logged(
        Command::new(workshop.into.join("bin/kc.sh"))
            .arg("build")
            .env("JAVA_OPTS_KC_HEAP", "-Xms64m -Xmx512m"),
        &workshop.log,
    )
}
