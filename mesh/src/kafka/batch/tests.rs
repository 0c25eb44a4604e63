#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rdkafka::message::{Header, OwnedHeaders};

use super::followed::MAXIMUM_SPANS;
use super::*;
use crate::telemetry::messaging;
use crate::telemetry::tests::{attribute, capture};

const IDLE: Duration = Duration::from_millis(100);

fn decide(messages: usize, age_ms: u64, caught_up: bool, free: bool) -> Next {
    let fill = Fill {
        messages,
        bytes: messages * 650,
        age: Duration::from_millis(age_ms),
        half: false,
    };
    next(fill, &Limits::LARGE, caught_up, free, IDLE)
}

#[test]
fn an_empty_batch_waits_for_its_first_message() {
    assert_eq!(decide(0, 0, true, true), Next::Poll(IDLE));
}

#[test]
fn few_messages_go_after_the_linger() {
    assert_eq!(
        decide(5, 20, true, true),
        Next::Poll(Duration::from_millis(30))
    );
    assert_eq!(decide(5, 50, true, true), Next::Insert);
}

#[test]
fn messages_that_keep_coming_grow_the_batch() {
    assert_eq!(decide(5_000, 60, false, true), Next::Poll(Duration::ZERO));
    assert_eq!(decide(5_000, 500, false, true), Next::Insert);
    assert_eq!(decide(100_000, 60, false, true), Next::Insert);
}

#[test]
fn what_is_half_there_waits_longer_for_the_rest() {
    let decide = |half, age_ms| {
        let (messages, bytes, age) = (1, 650, Duration::from_millis(age_ms));
        let fill = Fill {
            messages,
            bytes,
            age,
            half,
        };
        next(fill, &Limits::LARGE, true, true, IDLE)
    };
    assert_eq!(decide(false, 60), Next::Insert);
    assert_eq!(decide(true, 60), Next::Poll(Duration::from_millis(440)));
    assert_eq!(decide(true, 500), Next::Insert);
}

#[test]
fn a_full_batch_holds_while_another_is_inserted() {
    assert_eq!(decide(5, 60, true, false), Next::Poll(Limits::LARGE.linger));
    assert_eq!(decide(100_000, 60, false, false), Next::Hold);
}

#[test]
fn a_header_is_found_by_its_name() {
    let headers = Headers::listed(&[("a", b"1"), ("b", b"2")]);
    assert_eq!(headers.get("a"), Some(b"1".as_slice()));
    assert_eq!(headers.get("c"), None);
}

#[test]
fn of_headers_with_one_name_the_last_counts() {
    let listed = [
        ("a", b"1".as_slice()),
        ("b", b"2"),
        ("a", b"3"),
        ("b", b"4"),
    ];
    let sent = listed
        .iter()
        .fold(OwnedHeaders::new(), |sent, (key, value)| {
            let value = Some(*value);
            sent.insert(Header { key, value })
        });
    for headers in [
        Headers::listed(&listed),
        Headers::of(Some(sent.as_borrowed())),
    ] {
        assert_eq!(headers.get("a"), Some(b"3".as_slice()));
        assert_eq!(headers.get("b"), Some(b"4".as_slice()));
    }
}

#[test]
fn a_last_header_without_a_value_hides_those_before_it() {
    let [with, without] = [Some("1"), None].map(|value| Header { key: "a", value });
    let sent = OwnedHeaders::new().insert(with).insert(without);
    assert_eq!(Headers::of(Some(sent.as_borrowed())).get("a"), None);
}

/// Lets a ledger follow messages, each of a trace of this number.
fn follow(ledger: &mut Ledger, traces: impl Iterator<Item = usize>) {
    for (offset, trace) in (0..).zip(traces) {
        let context = format!("00-{:032x}-b7ad6b7169203331-01", trace + 1);
        let headers = [("traceparent", context.as_bytes())];
        let received = Received {
            topic: "things",
            partition: 3,
            offset,
            key: None,
            payload: None,
            headers: Headers::listed(&headers),
        };
        ledger.trace("group", &received);
    }
}

#[test]
fn messages_of_one_context_are_one_span_that_counts_them() {
    let captured = capture();
    let mut ledger = Ledger::default();
    follow(&mut ledger, (0..20_000).map(|it| usize::from(it == 7)));
    assert_eq!(ledger.spans().len(), 2);
    ledger.clear();
    let spans = captured.spans.get_finished_spans().unwrap();
    let named = |name| {
        spans
            .iter()
            .map(|span| attribute(span, name))
            .collect::<Vec<_>>()
    };
    let counts = named("messaging.batch.message_count");
    assert_eq!(counts, [Some(19_999.into()), None]);
    assert_eq!(named("messaging.kafka.offset"), [None, Some(7.into())]);
    let partitions = named("messaging.destination.partition.id");
    assert_eq!(partitions, [None, Some("3".into())]);
    assert_eq!(
        spans[0].span_context.trace_id().to_string(),
        format!("{:032x}", 1)
    );
}

#[test]
fn no_more_spans_are_made_than_an_insert_has_links_for() {
    let captured = capture();
    let mut ledger = Ledger::default();
    follow(&mut ledger, 0..MAXIMUM_SPANS + 100);
    assert_eq!(ledger.spans().len(), MAXIMUM_SPANS);
    ledger.clear();
    let spans = captured.spans.get_finished_spans().unwrap();
    assert_eq!(spans.len(), MAXIMUM_SPANS);
    // What was known of one batch is nothing to the next.
    follow(&mut ledger, 0..1);
    assert_eq!(ledger.spans().len(), 1);
}

#[test]
fn a_message_is_processed_until_it_is_inserted() {
    let captured = capture();
    let mut ledger = Ledger::default();
    follow(&mut ledger, 0..1);
    let insert = messaging::batch("things", 1, ledger.spans());
    insert.in_scope(|| ());
    drop(insert);
    ledger.clear();
    let spans = captured.spans.get_finished_spans().unwrap();
    let [insert, process] = spans.as_slice() else {
        panic!("two spans are expected: {spans:?}");
    };
    assert_eq!(insert.parent_span_id, process.span_context.span_id());
    assert!(process.end_time >= insert.end_time);
}

proptest! {
    #[test]
    fn a_batch_is_never_polled_for_when_full(
        messages in 0_usize..300_000, age in 0_u64..2_000, caught_up: bool, free: bool,
    ) {
        let decision = decide(messages, age, caught_up, free);
        if messages >= Limits::LARGE.messages {
            prop_assert_eq!(decision, if free { Next::Insert } else { Next::Hold });
        } else if messages > 0 && age >= 500 && free {
            prop_assert_eq!(decision, Next::Insert);
        }
    }
}
