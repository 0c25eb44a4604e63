//! One `up`, `down`, `reset` or `test` at a time for each stack.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process,
};

use anyhow::{Context, Result, bail};

/// Held until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock that `folder` holds.
    ///
    /// # Errors
    /// When another process has it; the message names that process.
    pub(crate) fn take(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        let path = folder.join("lock");
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)?;
        if file.try_lock().is_err() {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            bail!(
                "another `cargo stack` (pid {}) is working on {}; wait for it to end",
                holder.trim(),
                folder.display()
            );
        }
        file.set_len(0)?;
        writeln!(file, "{}", process::id())?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn the_second_is_told_who_works() {
        let scratch = Scratch::new("lock");
        let _first = Lock::take(scratch.path()).expect("free");
        let error = Lock::take(scratch.path()).expect_err("taken");
        assert!(
            error.to_string().contains(&process::id().to_string()),
            "{error}"
        );
    }

    #[test]
    fn a_lock_that_was_let_go_can_be_taken_again() {
        let scratch = Scratch::new("lock-again");
        drop(Lock::take(scratch.path()).expect("free"));
        Lock::take(scratch.path()).expect("free again");
    }
}
