use proptest::prelude::*;
use rdkafka::message::{Header, OwnedHeaders};

use super::*;

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
