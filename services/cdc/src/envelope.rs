//! Debezium's envelope: what a message says happened to which row, borrowed from its bytes. What
//! the columns hold is read by [`crate::tables`].

use serde::Deserialize;
use sonic_rs::LazyValue;

use crate::rejection::Rejection;

/// A message of a table's topic, read as far as its frame.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    /// The CRM table that the row is of.
    pub(crate) table: &'a str,
    /// Where the change stands in the CRM's log.
    pub(crate) lsn: u64,
    /// What happened.
    pub(crate) change: Change<'a>,
    /// Whether the row was read by a snapshot: it happened some time before.
    pub(crate) snapshot: bool,
}

/// What happened to a row; the values are JSON still.
#[derive(Debug)]
pub(crate) enum Change<'a> {
    /// The row is like this now.
    Upsert(LazyValue<'a>),
    /// The row is gone. Only its key is known: the rest is empty under Postgres' default replica
    /// identity.
    Delete(LazyValue<'a>),
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    before: Option<LazyValue<'a>>,
    #[serde(borrow)]
    after: Option<LazyValue<'a>>,
    #[serde(borrow)]
    source: Option<Source<'a>>,
    op: Option<&'a str>,
}

#[derive(Deserialize)]
struct Source<'a> {
    table: Option<&'a str>,
    lsn: Option<u64>,
    #[serde(borrow)]
    sequence: Option<LazyValue<'a>>,
}

/// Reads the frame of a message.
///
/// # Errors
/// What is wrong with it, for its dead letter.
pub(crate) fn parse(payload: &[u8]) -> Result<Message<'_>, Rejection> {
    // sonic-rs trusts a slice to be UTF-8, and its strings would not be.
    let text = std::str::from_utf8(payload).map_err(|_| Rejection::NotJson)?;
    let envelope: Envelope<'_> = sonic_rs::from_str(text).map_err(|error| {
        if error.is_syntax() || error.is_eof() {
            Rejection::NotJson
        } else {
            Rejection::NotEnvelope
        }
    })?;
    let source = envelope.source.ok_or(Rejection::Missing("source"))?;
    let row_lsn = source.lsn.ok_or(Rejection::Missing("source.lsn"))?;
    let (change, snapshot) = match envelope.op.ok_or(Rejection::Missing("op"))? {
        op @ ("c" | "u" | "r") => (
            Change::Upsert(envelope.after.ok_or(Rejection::Missing("after"))?),
            op == "r",
        ),
        "d" => (
            Change::Delete(envelope.before.ok_or(Rejection::Missing("before"))?),
            false,
        ),
        _ => return Err(Rejection::UnknownOperation),
    };
    Ok(Message {
        table: source.table.ok_or(Rejection::Missing("source.table"))?,
        lsn: effective_lsn(
            row_lsn,
            source.sequence.as_ref().map_or("", LazyValue::as_raw_str),
        ),
        change,
        snapshot,
    })
}

/// The position that orders the changes of one row: the later one of the row's own and of the last
/// commit before its transaction.
///
/// A row's own position is where it was written, but the log is read in the order of the commits.
/// An incremental snapshot that runs while a long transaction is open reads the old row and stands
/// *behind* the transaction's change; that change comes later and must win. The last commit,
/// which `source.sequence` begins with, never goes back in the order of the topic; the row's own
/// position never goes back for one row, because a second transaction waits for the row's lock.
/// So neither does the later of the two, and a message that Connect sends again keeps its place.
///
/// One case is left: a transaction that was open while the *first* snapshot began and that is the
/// very first to commit after it has no commit before it.
fn effective_lsn(row: u64, sequence: &str) -> u64 {
    last_commit(sequence).map_or(row, |commit| commit.max(row))
}

/// The first number of a JSON text such as `"[\"31961040\",\"31961096\"]"`; none where it is null.
fn last_commit(sequence: &str) -> Option<u64> {
    let digits = sequence.strip_prefix("\"[\\\"")?;
    digits.split_once('\\')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn message(op: &str, before: &str, after: &str, source: &str) -> String {
        format!(
            r#"{{"before":{before},"after":{after},"source":{source},"transaction":null,"op":"{op}","ts_ms":1}}"#
        )
    }

    const SOURCE: &str = r#"{"version":"3.6.3.Final","snapshot":null,"sequence":"[\"70\",\"80\"]","table":"customers","lsn":80}"#;

    #[test]
    fn an_update_carries_the_new_row() {
        let text = message("u", "null", r#"{"id":1}"#, SOURCE);
        let message = parse(text.as_bytes()).unwrap();
        assert_eq!(
            (message.table, message.lsn, message.snapshot),
            ("customers", 80, false)
        );
        assert!(matches!(message.change, Change::Upsert(row) if row.as_raw_str() == r#"{"id":1}"#));
    }

    #[test]
    fn a_delete_carries_the_old_key() {
        let text = message("d", r#"{"id":1}"#, "null", SOURCE);
        let message = parse(text.as_bytes()).unwrap();
        assert!(matches!(message.change, Change::Delete(row) if row.as_raw_str() == r#"{"id":1}"#));
    }

    #[test]
    fn a_broken_message_says_what_is_wrong_with_it() {
        let reject = |text: &str| parse(text.as_bytes()).err();
        assert_eq!(reject("not json"), Some(Rejection::NotJson));
        assert_eq!(reject(""), Some(Rejection::NotJson));
        assert_eq!(reject("{\"op\":"), Some(Rejection::NotJson));
        assert_eq!(reject("[1]"), Some(Rejection::NotEnvelope));
        assert_eq!(reject("null"), Some(Rejection::NotEnvelope));
        assert_eq!(reject("{}"), Some(Rejection::Missing("source")));
        assert_eq!(
            reject(&message("u", "null", "null", SOURCE)),
            Some(Rejection::Missing("after"))
        );
        assert_eq!(
            reject(&message("d", "null", "null", SOURCE)),
            Some(Rejection::Missing("before"))
        );
        assert_eq!(
            reject(&message("t", "null", "{}", SOURCE)),
            Some(Rejection::UnknownOperation)
        );
        let text = message("c", "null", "{}", r#"{"table":"customers","lsn":null}"#);
        assert_eq!(reject(&text), Some(Rejection::Missing("source.lsn")));
        let text = message("c", "null", "{}", r#"{"table":"customers","lsn":"80"}"#);
        assert_eq!(reject(&text), Some(Rejection::NotEnvelope));
    }

    #[test]
    fn a_long_transaction_stands_where_it_was_committed() {
        let source = r#"{"sequence":"[\"90\",\"80\"]","table":"customers","lsn":80}"#;
        assert_eq!(
            parse(message("u", "null", "{}", source).as_bytes())
                .unwrap()
                .lsn,
            90
        );
        let source = r#"{"sequence":"[null,\"80\"]","table":"customers","lsn":80}"#;
        assert_eq!(
            parse(message("r", "null", "{}", source).as_bytes())
                .unwrap()
                .lsn,
            80
        );
        let source = r#"{"table":"customers","lsn":80}"#;
        assert_eq!(
            parse(message("r", "null", "{}", source).as_bytes())
                .unwrap()
                .lsn,
            80
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_damage_to_a_message_makes_the_parser_panic(
            at in 0_usize..1000, byte in any::<u8>(), cut in 0_usize..1000,
        ) {
            let mut bytes = message("u", "null", r#"{"id":"x","n":"\u00e4"}"#, SOURCE).into_bytes();
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(length - cut % length);
            let _ = parse(&bytes);
        }

        /// Transactions of one row wait for each other, so each begins behind the commit before it.
        #[test]
        fn the_positions_of_a_row_rise_in_the_order_of_its_topic(
            steps in proptest::collection::vec((0_u64..50, 0_u64..50, 0_u64..50), 1..40)
        ) {
            let (mut own_commit, mut any_commit, mut highest) = (0, 0, 0);
            for (until_write, until_others_commit, until_commit) in steps {
                let row = own_commit + 1 + until_write;
                // Other rows' transactions commit before this one does, behind its write or not.
                any_commit = any_commit.max(own_commit).max(row + until_others_commit);
                let position = effective_lsn(row, &format!(r#""[\"{any_commit}\",\"{row}\"]""#));
                prop_assert!(position >= highest);
                highest = position;
                own_commit = any_commit + 1 + until_commit;
            }
        }
    }
}
