#![allow(clippy::unwrap_used)]
use super::*;
use bionicpro_mesh::kafka::{Batch as _, Headers, Range};
use proptest::prelude::*;

const TOPIC: &str = "crm.public.service_visits";
const ID: &str = "01900000-0000-7000-8000-0000000000b1";

fn row(notes: &str, cost: &str) -> String {
    format!(
        r#"{{"id":"{ID}","prosthesis_id":"{ID}","visited_at":"2026-11-24T12:40:14.970962Z","kind":"repair","notes":"{notes}","cost":{cost},"tracingspancontext":null}}"#
    )
}

fn message(op: &str, before: &str, after: &str, lsn: u64) -> String {
    format!(
        r#"{{"before":{before},"after":{after},"source":{{"sequence":"[null,\"{lsn}\"]","table":"service_visits","lsn":{lsn}}},"op":"{op}"}}"#
    )
}

fn received(offset: i64, payload: Option<&str>) -> Received<'_> {
    Received {
        topic: TOPIC,
        partition: 1,
        offset,
        key: Some(b"{}"),
        payload: payload.map(str::as_bytes),
        headers: Headers::default(),
    }
}

fn empty() -> Batch {
    Batch::new(&Arc::new(Feed::new("crm".into(), "group".into())))
}

fn pushed(payloads: &[Option<&str>]) -> Batch {
    let mut batch = empty();
    for (offset, payload) in (10..).zip(payloads) {
        batch.push(received(offset, *payload));
    }
    batch
}

fn rows(batch: &Batch) -> usize {
    batch.blocks.iter().map(Block::rows).sum()
}

#[test]
fn a_row_becomes_a_version_and_a_tombstone_nothing() {
    let upsert = message("c", "null", &row("fine", "\"12.50\""), 7);
    let delete = message("d", &row("", "\"0.00\""), "null", 8);
    let batch = pushed(&[Some(&upsert), Some(&delete), None]);
    assert_eq!(
        (rows(&batch), batch.dead.len(), batch.incomplete.len()),
        (2, 0, 0)
    );
    let range = Range {
        topic: TOPIC.into(),
        partition: 1,
        first: 10,
        last: 12,
        note: Some(8),
    };
    assert_eq!(batch.ledger.ranges(), [range]);
}

#[test]
fn a_broken_message_is_set_aside_and_leaves_no_trace_in_the_block() {
    let good = message("c", "null", &row("fine", "\"12.50\""), 7);
    let large = message("u", "null", &row("fine", "\"99999999999\""), 8);
    let untyped = message("u", "null", &row("fine", "12.5"), 8);
    let short = message("u", "null", &format!(r#"{{"id":"{ID}"}}"#), 8);
    let mut batch = pushed(&[
        Some("{"),
        Some(&large),
        Some(&good),
        Some(&untyped),
        Some(&short),
    ]);
    let reasons: Vec<_> = batch.dead.iter().map(|(_, rejection)| *rejection).collect();
    assert_eq!(
        reasons,
        [
            Rejection::NotJson,
            Rejection::OutOfRange("cost"),
            Rejection::WrongType("cost"),
            Rejection::Missing("prosthesis_id"),
        ]
    );
    assert_eq!(
        (
            batch.ledger.ranges()[0].first,
            batch.ledger.ranges()[0].last
        ),
        (10, 14)
    );

    let mut alone = empty();
    alone.push(received(12, Some(&good)));
    let bytes = |batch: &mut Batch| batch.blocks[3].encode().chunks().collect::<Vec<_>>();
    assert_eq!(bytes(&mut batch), bytes(&mut alone));
}

#[test]
fn an_assignment_until_the_year_9999_is_one_without_an_end() {
    let block = |valid_to: &str| {
        let row = format!(
            r#"{{"id":"{ID}","prosthesis_id":"{ID}","customer_id":"{ID}","valid_from":"2026-11-24T12:40:14Z","valid_to":{valid_to}}}"#
        );
        let text = message("u", "null", &row, 7).replace("service_visits", "assignments");
        let mut batch = empty();
        batch.push(Received {
            topic: "crm.public.assignments",
            ..received(10, Some(&text))
        });
        assert_eq!((rows(&batch), batch.dead.len()), (1, 0), "{valid_to}");
        batch.blocks[2].encode().chunks().collect::<Vec<_>>()
    };
    let open = block("null");
    assert_eq!(block(r#""9999-12-31T23:59:59.999999Z""#), open);
    assert_ne!(block(r#""2027-01-01T00:00:00Z""#), open);
}

#[test]
fn a_row_of_another_table_is_set_aside() {
    let text = message("c", "null", &row("fine", "\"1\""), 7).replace("service_visits", "invoices");
    assert_eq!(pushed(&[Some(&text)]).dead[0].1, Rejection::UnknownTable);
}

#[test]
fn a_large_value_that_was_not_sent_waits_for_the_stored_row() {
    let text = message(
        "u",
        "null",
        &row("__debezium_unavailable_value", "\"1\""),
        7,
    );
    let batch = pushed(&[Some(&text)]);
    assert_eq!(
        (rows(&batch), batch.dead.len(), batch.incomplete.len()),
        (0, 0, 1)
    );
}

#[test]
fn a_row_that_moved_without_a_large_value_remembers_its_old_key() {
    let text = message(
        "c",
        "null",
        &row("__debezium_unavailable_value", "\"1\""),
        7,
    );
    let mut batch = empty();
    batch.push(Received {
        headers: Headers::listed(&[(OLD_KEY, br#"{"id":"old"}"#)]),
        ..received(10, Some(&text))
    });
    let old_key = batch.incomplete[0].old_key.as_deref();
    assert_eq!(old_key, Some(br#"{"id":"old"}"#.as_slice()));
    assert!(batch.fill(Instant::now()).half);
}

#[test]
fn a_key_is_read_as_debezium_writes_it() {
    let key = |text: &str| crate::block::key_of(&crate::tables::SERVICE_VISITS, text.as_bytes());
    assert_eq!(key(&format!(r#"{{"id":"{ID}"}}"#)), ID.parse().ok());
    for broken in ["", "{}", r#"{"id":7}"#, "Struct{id=7}"] {
        assert_eq!(key(broken), None, "{broken}");
    }
}

#[test]
fn a_stored_value_completes_a_row_and_a_missing_one_rejects_it() {
    let text = message(
        "u",
        "null",
        &row("__debezium_unavailable_value", "\"1\""),
        7,
    );
    let table = &crate::tables::SERVICE_VISITS;
    let mut block = Block::new(table);
    let mut push = |stored: &crate::block::Stored| {
        let change = parse_row_of(table, text.as_bytes()).unwrap().change;
        block.push(change, 1, Some(stored))
    };
    assert_eq!(push(&[("notes", "long".into())]), Ok(Outcome::Written));
    assert_eq!(push(&[]), Err(Rejection::Unavailable("notes")));
}

#[test]
fn a_cleared_batch_is_empty() {
    let good = message("c", "null", &row("fine", "\"12.50\""), 7);
    let mut batch = pushed(&[Some(&good), Some("{")]);
    batch.clear();
    assert_eq!(
        (rows(&batch), batch.dead.len(), batch.ledger.ranges().len()),
        (0, 0, 0)
    );
    assert_eq!(batch.fill(Instant::now()).messages, 0);
}

proptest! {
    #[test]
    fn no_payload_makes_a_batch_panic_or_lose_it(
        payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..20)
    ) {
        let mut batch = empty();
        for (offset, payload) in (0..).zip(&payloads) {
            batch.push(Received { payload: Some(payload), ..received(offset, None) });
        }
        let kept = rows(&batch) + batch.dead.len() + batch.incomplete.len();
        prop_assert_eq!(kept, payloads.len());
    }

    #[test]
    fn versions_rise_with_position_and_then_with_offset(
        a in (any::<u64>(), 0_i64..), b in (any::<u64>(), 0_i64..),
    ) {
        prop_assert_eq!(version(a.0, a.1).cmp(&version(b.0, b.1)), a.cmp(&b));
    }
}
