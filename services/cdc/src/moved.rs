//! A row whose key was changed, by a change that lacks a large value: which stored version of its
//! old key has that value. No I/O.
//!
//! Debezium sends a deletion of the old key and a creation of the new one, with the same position,
//! but by different partitions. So only a deletion at that position proves that what is stored
//! before it is the row as it was; without it, changes of the old key may still be on their way.

use std::cmp::Reverse;

use crate::batch::lsn_of;

/// A stored version of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) number: u128,
    pub(crate) is_deleted: bool,
    /// Its texts, in the order of the table's columns.
    pub(crate) texts: Vec<String>,
}

/// The texts that a row had when its key was changed at `lsn`, from `versions` of its old key in any
/// order. None where the deletion has not come yet, or a merge has dropped what was before it.
pub(crate) fn texts_before(mut versions: Vec<Version>, lsn: u64) -> Option<Vec<String>> {
    versions.retain(|version| lsn_of(version.number) <= lsn);
    versions.sort_by_key(|version| Reverse(version.number));
    versions.dedup_by_key(|version| version.number);
    let mut newest_first = versions.into_iter();
    let deletion = newest_first.next()?;
    let row = newest_first.next()?;
    let proven = deletion.is_deleted && lsn_of(deletion.number) == lsn && !row.is_deleted;
    proven.then_some(row.texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::version;

    fn row(lsn: u64, offset: i64, text: &str) -> Version {
        Version {
            number: version(lsn, offset),
            is_deleted: false,
            texts: vec![text.to_owned()],
        }
    }

    fn deletion(lsn: u64, offset: i64) -> Version {
        Version {
            is_deleted: true,
            ..row(lsn, offset, "")
        }
    }

    fn text(versions: &[Version]) -> Option<String> {
        texts_before(versions.to_vec(), 30).map(|texts| texts.concat())
    }

    #[test]
    fn the_last_row_before_the_deletion_has_the_text() {
        let versions = [deletion(30, 7), row(10, 5, "old"), row(20, 6, "new")];
        assert_eq!(text(&versions).as_deref(), Some("new"));
    }

    #[test]
    fn a_version_that_was_written_twice_counts_once() {
        let versions = [row(20, 6, "new"), deletion(30, 7), deletion(30, 7)];
        assert_eq!(text(&versions).as_deref(), Some("new"));
    }

    #[test]
    fn what_became_of_the_old_key_later_does_not_matter() {
        let versions = [
            row(20, 6, "new"),
            deletion(30, 7),
            row(40, 8, "somebody else's"),
        ];
        assert_eq!(text(&versions).as_deref(), Some("new"));
    }

    #[test]
    fn without_the_deletion_a_newer_row_may_be_on_its_way() {
        assert_eq!(text(&[row(10, 5, "old")]), None);
        assert_eq!(text(&[deletion(20, 6), row(10, 5, "old")]), None);
    }

    #[test]
    fn a_row_that_a_merge_has_dropped_is_not_made_up() {
        assert_eq!(text(&[deletion(30, 7)]), None);
        assert_eq!(text(&[deletion(30, 7), deletion(20, 6)]), None);
        assert_eq!(text(&[]), None);
    }
}
