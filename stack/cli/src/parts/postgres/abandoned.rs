//! Data of checkouts that are gone. Run by root, the server's data lies outside
//! of its checkout and outlives it; whether it is still wanted only its owner
//! knows, so it is named and never removed here.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// In a checkout's folder, the file that says where that checkout is.
const OWNER: &str = "checkout";

/// A folder of data, and the checkout that it belonged to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Abandoned {
    /// The data of all its stacks.
    pub(crate) folder: PathBuf,
    /// Where the checkout was.
    pub(crate) checkout: PathBuf,
}

/// Writes down whose data `folder` holds.
pub(super) fn note_owner(folder: &Path, checkout: &Path) -> Result<()> {
    let file = folder.join(OWNER);
    fs::write(&file, checkout.as_os_str().as_encoded_bytes())
        .with_context(|| format!("{} cannot be written", file.display()))
}

/// What lies below `base` and belongs to a checkout that is not there any more.
pub(super) fn below(base: &Path) -> Vec<Abandoned> {
    let folders = fs::read_dir(base).into_iter().flatten();
    folders
        .filter_map(|entry| {
            let folder = entry.ok()?.path();
            let checkout = PathBuf::from(fs::read_to_string(folder.join(OWNER)).ok()?);
            (!checkout.exists()).then_some(Abandoned { folder, checkout })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn only_the_data_of_a_checkout_that_is_gone_is_abandoned() {
        let scratch = Scratch::new("abandoned");
        let (there, gone) = (scratch.path().join("there"), scratch.path().join("gone"));
        for (folder, checkout) in [("a", &there), ("b", &gone)] {
            fs::create_dir_all(scratch.path().join("data").join(folder)).expect("writable");
            note_owner(&scratch.path().join("data").join(folder), checkout).expect("writable");
        }
        fs::create_dir(&there).expect("writable");
        assert_eq!(
            below(&scratch.path().join("data")),
            [Abandoned {
                folder: scratch.path().join("data/b"),
                checkout: gone,
            }]
        );
    }

    #[test]
    fn without_any_data_nothing_is_abandoned() {
        assert_eq!(below(Path::new("/no/such/folder")), []);
    }
}
