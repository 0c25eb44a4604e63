//! Where things lie: the checkout, its state folder per profile, and the
//! user's cache of provisioned parts. Knows paths, not what is in them.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::Serialize;

/// Which stack of this checkout is meant: they share neither ports nor data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// The stack that a person works with.
    Dev,
    /// The stack that the end-to-end suites start and throw away.
    Test,
    /// The stack that Docker Compose runs: only rendered here.
    Compose,
}

impl Profile {
    /// The name as it stands in paths and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Test => "test",
            Self::Compose => "compose",
        }
    }
}

/// The folders of one checkout.
#[derive(Clone, Debug)]
pub(crate) struct Checkout {
    root: PathBuf,
    cache: PathBuf,
}

impl Checkout {
    /// Finds the checkout around the working directory.
    ///
    /// # Errors
    /// When no folder from here upwards holds `stack/cli`, or when there is
    /// neither `BIONICPRO_CACHE` nor a home folder for the cache.
    pub(crate) fn find() -> Result<Self> {
        let here = env::current_dir().context("the working directory is gone")?;
        let Some(root) = here
            .ancestors()
            .find(|folder| folder.join("stack/cli/Cargo.toml").is_file())
        else {
            bail!("{} is not inside a checkout of BionicPRO", here.display());
        };
        let cache = match env::var_os("BIONICPRO_CACHE") {
            Some(folder) => here.join(folder),
            None => env::home_dir()
                .context("set BIONICPRO_CACHE: there is no home folder for the cache")?
                .join(".cache/bionicpro"),
        };
        Ok(Self::new(root, cache))
    }

    /// A checkout at `root` that provisions into `cache`.
    pub(crate) fn new(root: impl Into<PathBuf>, cache: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            cache: cache.into(),
        }
    }

    /// The top folder of the repository.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where provisioned parts lie, shared by all checkouts of this user.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// `stack/`: manifests and templates of the third-party parts.
    pub(crate) fn stack(&self) -> PathBuf {
        self.root.join("stack")
    }

    /// This program, where `cargo stack` builds it.
    pub(crate) fn cli(&self) -> PathBuf {
        self.stack().join("cli/target/debug/bionicpro-stack")
    }

    /// `.stack/`: everything that is rendered, logged and stored.
    pub(crate) fn state(&self) -> PathBuf {
        self.root.join(".stack")
    }

    /// `.stack/<profile>/`.
    pub(crate) fn profile(&self, profile: Profile) -> PathBuf {
        self.state().join(profile.name())
    }
}
