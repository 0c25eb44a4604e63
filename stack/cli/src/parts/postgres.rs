//! Postgres, from Debian. Run by root, the server belongs to the user
//! `postgres` and its data lies outside of the checkout, in a folder that this
//! user can reach; otherwise it is the caller's own.

mod abandoned;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

pub(crate) use self::abandoned::Abandoned;
use super::{Part, Site, Stage};
use crate::{
    cache::short_hash,
    checkout::{Checkout, Profile},
    exec,
    topology::{Port, Topology},
};

/// Where Debian's `postgresql-15` puts the server's programs.
pub(crate) const BINARIES: &str = "/usr/lib/postgresql/15/bin";

/// Where root keeps the data of all checkouts, a folder each.
const ROOTS_DATA: &str = "/var/lib/bionicpro";

/// The databases of other systems, and the schemas that stand for them.
const FOREIGN_SCHEMAS: &[(&str, &str)] = &[("crm", "crm.sql"), ("telemetry", "telemetry.sql")];

/// The database server.
pub(super) struct Postgres;

impl Part for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn stage(&self) -> Stage {
        Stage::Stores
    }

    fn ports(&self, topology: &Topology) -> Vec<Port> {
        vec![Port {
            number: topology.postgres.port,
            purpose: "postgres",
        }]
    }

    fn prepare(&self, site: &Site) -> Result<()> {
        let data = &site.topology.directories.postgres_data;
        if !data.join("PG_VERSION").exists() {
            initialise(data, &site.topology.postgres.superuser.password)?;
        }
        if is_root() {
            abandoned::note_owner(&roots_data_of(&site.checkout), site.checkout.root())?;
        }
        for file in ["postgresql.conf", "pg_hba.conf"] {
            let target = data.join(file);
            fs::copy(site.topology.part_state("postgres").join(file), &target)?;
            own(&target)?;
        }
        Ok(())
    }

    fn configure(&self, site: &Site) -> Result<()> {
        let rendered = site.topology.part_state("postgres");
        run_file(&site.topology, "postgres", &rendered.join("roles.sql"))?;
        for (database, schema) in FOREIGN_SCHEMAS {
            run_file(
                &site.topology,
                database,
                &site.checkout.stack().join("postgres").join(schema),
            )?;
        }
        Ok(())
    }
}

/// Where the server's data lies.
pub(crate) fn data_folder(checkout: &Checkout, profile: Profile) -> PathBuf {
    if !is_root() {
        return checkout.profile(profile).join("postgres/data");
    }
    roots_data_of(checkout)
        .join(profile.name())
        .join("postgres")
}

fn roots_data_of(checkout: &Checkout) -> PathBuf {
    let root = checkout.root().as_os_str().as_encoded_bytes();
    Path::new(ROOTS_DATA).join(short_hash([root]))
}

/// Data of checkouts that are gone, which this one's owner may want to remove.
pub(crate) fn abandoned() -> Vec<Abandoned> {
    abandoned::below(Path::new(ROOTS_DATA))
}

/// The prefix of a command that has to run as the server's user.
pub(crate) fn run_as() -> &'static str {
    if is_root() {
        "setpriv --reuid=postgres --regid=postgres --init-groups"
    } else {
        ""
    }
}

/// A `psql` that is signed in: as the database's owner where it is one of the
/// declared databases, else as the superuser.
pub(crate) fn psql(topology: &Topology, database: &str) -> Command {
    let postgres = &topology.postgres;
    let login = postgres
        .database(database)
        .map_or(&postgres.superuser, |database| &database.owner);
    let mut command = Command::new(Path::new(BINARIES).join("psql"));
    command
        .args([
            "--no-psqlrc",
            "--quiet",
            "--host",
            postgres.host,
            "--username",
            login.user,
            "--dbname",
            database,
        ])
        .args([
            "--port",
            &postgres.port.to_string(),
            "--set",
            "ON_ERROR_STOP=1",
        ])
        .env("PGPASSWORD", &login.password);
    command
}

fn run_file(topology: &Topology, database: &str, file: &Path) -> Result<()> {
    exec::output(psql(topology, database).arg("--file").arg(file)).map(drop)
}

fn initialise(data: &Path, password: &str) -> Result<()> {
    fs::create_dir_all(data).with_context(|| format!("{} cannot be made", data.display()))?;
    fs::set_permissions(data, fs::Permissions::from_mode(0o700))?;
    own(data)?;
    // An interrupted initialisation leaves a folder that initdb refuses.
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
    }
    let password_file = data.with_extension("password");
    fs::write(&password_file, password)?;
    own(&password_file)?;
    let mut arguments = run_as()
        .split_whitespace()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    arguments.push(format!("{BINARIES}/initdb"));
    let mut command = Command::new(arguments.remove(0));
    command
        .args(arguments)
        .args([
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth=scram-sha-256",
            "--pgdata",
        ])
        .arg(data)
        .arg(format!("--pwfile={}", password_file.display()))
        .current_dir(data);
    let outcome = exec::output(&mut command);
    fs::remove_file(password_file)?;
    outcome
        .map(drop)
        .context("the database cluster could not be made")
}

fn own(path: &Path) -> Result<()> {
    if is_root() {
        exec::output(Command::new("chown").arg("postgres:postgres").arg(path))?;
    }
    Ok(())
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_checkouts_never_share_a_data_folder() {
        let of = |root: &str| data_folder(&Checkout::new(root, "/cache"), Profile::Dev);
        assert_ne!(of("/a"), of("/b"));
    }
}
