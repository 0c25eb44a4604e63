//! Provisioned parts in the user's cache: keyed by the hash of their manifest,
//! built in a folder of their own and renamed into place, one builder at a
//! time. Knows nothing of what a part is.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::checkout::Checkout;

/// How a part comes into the cache.
#[derive(Clone, Copy)]
pub(crate) struct Recipe {
    /// The part's name: the beginning of its folder's name.
    pub(crate) name: &'static str,
    /// Files under `stack/` that pin and make it: what they say is its key.
    pub(crate) manifest: &'static [&'static str],
    /// Bumped when `build` changes without its manifest.
    pub(crate) revision: u32,
    /// Fetches and builds into an empty folder.
    pub(crate) build: fn(&Workshop<'_>) -> Result<()>,
}

/// What a recipe works with.
pub(crate) struct Workshop<'a> {
    /// `stack/` of the checkout.
    pub(crate) stack: PathBuf,
    /// The empty folder that becomes the part.
    pub(crate) into: &'a Path,
    /// Where the output of programs goes.
    pub(crate) log: PathBuf,
    /// Tells people what is being done.
    pub(crate) say: &'a dyn Fn(&str),
}

/// Whether a part had to be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provisioned {
    /// It lay in the cache.
    Cached,
    /// It was fetched or built now.
    Built,
}

impl Provisioned {
    /// As people are told.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Self::Cached => "in the cache",
            Self::Built => "provisioned",
        }
    }
}

impl Recipe {
    /// The folder where this version of the part lies or will lie.
    ///
    /// # Errors
    /// When a file of the manifest cannot be read.
    pub(crate) fn folder(&self, checkout: &Checkout) -> Result<PathBuf> {
        Ok(checkout
            .cache()
            .join(format!("{}-{}", self.name, self.key(&checkout.stack())?)))
    }

    /// Provisions the part unless it is there.
    ///
    /// Waits while another process builds the same part. Interrupted, it leaves
    /// a folder that the next builder removes.
    ///
    /// # Errors
    /// When the cache cannot be written or the recipe fails.
    pub(crate) fn provision(&self, checkout: &Checkout, say: &dyn Fn(&str)) -> Result<Provisioned> {
        let folder = self.folder(checkout)?;
        if folder.is_dir() {
            return Ok(Provisioned::Cached);
        }
        let cache = checkout.cache();
        let _lock = lock(cache, self.name, say)?;
        if folder.is_dir() {
            return Ok(Provisioned::Cached);
        }
        self.remove_partial(cache)?;

        let partial = cache.join(format!("{}{}", self.partial_prefix(), process::id()));
        fs::create_dir(&partial)?;
        let log = cache.join(format!("{}.log", self.name));
        fs::write(&log, "")?;
        (self.build)(&Workshop {
            stack: checkout.stack(),
            into: &partial,
            log,
            say,
        })
        .with_context(|| format!("{} could not be provisioned", self.name))?;
        fs::rename(&partial, &folder)?;
        Ok(Provisioned::Built)
    }

    fn key(&self, stack: &Path) -> Result<String> {
        let mut contents = vec![self.revision.to_be_bytes().to_vec()];
        for name in self.manifest {
            let file = stack.join(name);
            contents.push(
                fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?,
            );
        }
        Ok(short_hash(contents.iter().map(Vec::as_slice)))
    }

    fn partial_prefix(&self) -> String {
        format!(".{}.partial-", self.name)
    }

    fn remove_partial(&self, cache: &Path) -> Result<()> {
        for entry in fs::read_dir(cache)? {
            let entry = entry?;
            if entry
                .file_name()
                .to_string_lossy()
                .starts_with(&self.partial_prefix())
            {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Lets one process at a time work on `name` in `folder`; the others wait. It is let
/// go when the answer is dropped and what was started meanwhile has ended: an npm or
/// apt-get that outlives its interrupted caller for a moment is still at work.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn lock(folder: &Path, name: &str, say: &dyn Fn(&str)) -> Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let lock = File::create(folder.join(format!("{name}.lock")))?;
    if lock.try_lock().is_err() {
        say("waiting for another process that works on it");
        lock.lock()?;
    }
    // Programs inherit it.
    rustix::io::fcntl_setfd(&lock, rustix::io::FdFlags::empty())?;
    Ok(lock)
}

/// Sixteen hexadecimal digits that stand for `contents`, each with its length.
pub(crate) fn short_hash<'a>(contents: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for content in contents {
        hash.update((content.len() as u64).to_be_bytes());
        hash.update(content);
    }
    hash.finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::scratch::Scratch;

    static BUILDS: AtomicU32 = AtomicU32::new(0);

    const GREETING: Recipe = Recipe {
        name: "greeting",
        manifest: &["greeting/manifest"],
        revision: 1,
        build: |workshop| {
            BUILDS.fetch_add(1, Ordering::Relaxed);
            Ok(fs::copy(
                workshop.stack.join("greeting/manifest"),
                workshop.into.join("copy"),
            )
            .map(drop)?)
        },
    };

    fn checkout(scratch: &Scratch, manifest: &str) -> Checkout {
        let checkout = Checkout::new(scratch.path().join("root"), scratch.path().join("cache"));
        let folder = checkout.stack().join("greeting");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("manifest"), manifest).expect("a manifest");
        checkout
    }

    #[test]
    fn another_manifest_makes_another_folder() {
        let scratch = Scratch::new("cache-key");
        let first = GREETING
            .folder(&checkout(&scratch, "one"))
            .expect("readable");
        let second = GREETING
            .folder(&checkout(&scratch, "two"))
            .expect("readable");
        assert_ne!(first, second);
    }

    #[test]
    fn another_revision_of_the_recipe_makes_another_folder() {
        let scratch = Scratch::new("cache-revision");
        let checkout = checkout(&scratch, "one");
        let revised = Recipe {
            revision: 2,
            ..GREETING
        };
        assert_ne!(
            GREETING.folder(&checkout).expect("readable"),
            revised.folder(&checkout).expect("readable")
        );
    }

    #[test]
    fn a_part_is_built_once_and_what_an_interruption_left_is_removed() {
        let scratch = Scratch::new("cache-once");
        let checkout = checkout(&scratch, "one");
        let stale = checkout.cache().join(".greeting.partial-1");
        fs::create_dir_all(&stale).expect("a folder");

        let first = GREETING.provision(&checkout, &|_| ()).expect("it builds");
        let second = GREETING.provision(&checkout, &|_| ()).expect("it is there");

        assert_eq!((first, second), (Provisioned::Built, Provisioned::Cached));
        assert_eq!(BUILDS.load(Ordering::Relaxed), 1);
        assert!(
            GREETING
                .folder(&checkout)
                .expect("readable")
                .join("copy")
                .is_file()
        );
        assert!(!stale.exists());
    }

    #[test]
    fn what_an_interrupted_process_started_still_holds_its_lock() {
        let scratch = Scratch::new("cache-lock");
        let held = lock(scratch.path(), "app", &|_| ()).expect("free");
        let mut started = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("it starts");
        drop(held);
        let file = File::open(scratch.path().join("app.lock")).expect("it is there");
        let while_it_runs = file.try_lock();
        started.kill().expect("it runs");
        started.wait().expect("it ends");
        assert!(while_it_runs.is_err());
        file.lock().expect("free again");
    }

    #[test]
    fn a_recipe_that_fails_leaves_nothing_that_looks_provisioned() {
        let scratch = Scratch::new("cache-failure");
        let checkout = checkout(&scratch, "one");
        let broken = Recipe {
            name: "broken",
            build: |_| anyhow::bail!("no network"),
            ..GREETING
        };

        let error = broken
            .provision(&checkout, &|_| ())
            .expect_err("the recipe fails");

        assert!(format!("{error:#}").contains("no network"));
        assert!(!broken.folder(&checkout).expect("readable").exists());
    }
}
