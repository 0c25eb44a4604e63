//! Readings by gRPC: what is accepted is in Kafka, what is not is said by its number and field, and
//! nobody but the devices' backend may bring any.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::time::Duration;

use bionicpro_proto::ingest::v1::{Reading, RecordBatchRequest};
use bionicpro_tests::devices::{Devices, TOPIC, ids, new_id, now, readings, recorded};
use bionicpro_tests::rpc::reason;
use bionicpro_tests::tokens::{self, Difference, Guest};
use bionicpro_tests::worn_day::WornDay;
use bionicpro_tests::{eventually, stack};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigSource, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use tokio_stream::StreamExt as _;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::in_use;

/// A prosthesis that nobody wears.
const NOBODYS: &str = "01900000-0000-7000-a000-00000000f001";
/// The middle of a day long before the seeded time.
const IN_2020: i64 = 1_592_222_400;
/// Makes one field of a good reading wrong.
type Spoil = Box<dyn Fn(&mut Reading)>;

const LIMIT: Duration = Duration::from_secs(20);

async fn topic() -> HashMap<Uuid, usize> {
    tokio::task::spawn_blocking(|| recorded(stack()).unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_topic_says_itself_for_how_long_it_keeps_readings() {
    let _in_use = in_use().await;
    const DAY_MS: u64 = 86_400_000;
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &stack().kafka.brokers)
        .create()
        .unwrap();
    let configs = admin
        .describe_configs(
            [&ResourceSpecifier::Topic(TOPIC)],
            &AdminOptions::new().request_timeout(Some(LIMIT)),
        )
        .await
        .unwrap();
    let retention = configs[0].as_ref().unwrap().get("retention.ms").unwrap();
    assert_eq!(retention.source, ConfigSource::DynamicTopic);
    let kept: u64 = retention.value.as_ref().unwrap().parse().unwrap();
    assert_eq!(kept, 7 * DAY_MS);
}

#[tokio::test]
async fn what_a_stream_brings_is_in_kafka_once_when_it_is_answered() {
    let _in_use = in_use().await;
    let devices = Devices::new(stack()).await.unwrap();
    let sent = readings(NOBODYS, IN_2020, 5_000);
    let messages: Vec<_> = sent.chunks(700).map(<[Reading]>::to_vec).collect();
    let receipt = devices.stream(tokio_stream::iter(messages)).await.unwrap();
    assert_eq!(
        (receipt.accepted, receipt.duplicates, receipt.rejected),
        (5_000, 0, 0)
    );
    let topic = topic().await;
    assert!(ids(&sent).iter().all(|id| topic.get(id) == Some(&1)));
}

#[tokio::test]
async fn a_bad_reading_is_rejected_by_number_and_field_and_the_others_go_on() {
    let _in_use = in_use().await;
    let good = || readings(NOBODYS, IN_2020, 1).remove(0);
    let bad: Vec<(&str, Spoil)> = vec![
        ("force_newtons", Box::new(|it| it.force_newtons = f64::NAN)),
        (
            "force_newtons",
            Box::new(|it| it.force_newtons = f64::INFINITY),
        ),
        (
            "force_newtons",
            Box::new(|it| it.force_newtons = f64::NEG_INFINITY),
        ),
        ("force_newtons", Box::new(|it| it.force_newtons = 1_000.5)),
        ("battery_pct", Box::new(|it| it.battery_pct = 101)),
        ("duration_ms", Box::new(|it| it.duration_ms = u32::MAX)),
        (
            "recorded_at",
            Box::new(|it| it.recorded_at.as_mut().unwrap().seconds = now() + 3_600),
        ),
        (
            "recorded_at",
            Box::new(|it| it.recorded_at.as_mut().unwrap().seconds = 0),
        ),
        ("recorded_at", Box::new(|it| it.recorded_at = None)),
        ("id", Box::new(|it| it.id = Uuid::new_v4().to_string())),
        ("id", Box::new(|it| it.id = "7".into())),
        (
            "prosthesis_id",
            Box::new(|it| it.prosthesis_id = String::new()),
        ),
        ("grip", Box::new(|it| it.grip = "grip of death".into())),
        (
            "fault_code",
            Box::new(|it| it.fault_code = "<script>".into()),
        ),
    ];
    let mut sent = Vec::new();
    for (_, spoil) in &bad {
        let mut spoilt = good();
        spoil(&mut spoilt);
        sent.extend([good(), spoilt]);
    }
    let receipt = Devices::new(stack())
        .await
        .unwrap()
        .batch(sent.clone())
        .await
        .unwrap();
    let named: Vec<_> = receipt
        .rejections
        .iter()
        .map(|it| (it.index, it.field.as_str()))
        .collect();
    let expected: Vec<_> = (1..).step_by(2).zip(bad.iter().map(|it| it.0)).collect();
    assert_eq!(named, expected);
    assert_eq!(
        (receipt.accepted, receipt.rejected),
        (expected.len() as u64, expected.len() as u64)
    );
    let topic = topic().await;
    for good in sent.iter().step_by(2) {
        assert_eq!(topic.get(&good.id.parse().unwrap()), Some(&1), "{good:?}");
    }
}

#[tokio::test]
async fn of_one_id_with_two_values_the_first_is_kept_and_the_second_counted() {
    let _in_use = in_use().await;
    let first = readings(NOBODYS, IN_2020, 1).remove(0);
    let mut second = first.clone();
    second.response_ms += 500;
    let messages = vec![vec![first.clone()], vec![second]];
    let devices = Devices::new(stack()).await.unwrap();
    let receipt = devices.stream(tokio_stream::iter(messages)).await.unwrap();
    assert_eq!((receipt.accepted, receipt.duplicates), (1, 1));
    assert_eq!(topic().await.get(&first.id.parse().unwrap()), Some(&1));
}

#[tokio::test]
async fn a_call_without_readings_is_refused() {
    let _in_use = in_use().await;
    let devices = Devices::new(stack()).await.unwrap();
    let empty = devices.stream(tokio_stream::iter(Vec::new())).await;
    let hollow = devices.stream(tokio_stream::iter(vec![Vec::new()])).await;
    let batch = devices.batch(Vec::new()).await;
    for status in [empty, hollow, batch].map(Result::unwrap_err) {
        assert_refused(&status, Code::InvalidArgument, "INVALID_FIELD");
        assert!(
            status.message().contains("at least one reading"),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_message_of_5_mb_is_refused_with_the_limit_and_nothing_of_it_is_kept() {
    let _in_use = in_use().await;
    let devices = Devices::new(stack()).await.unwrap();
    let large = readings(NOBODYS, IN_2020, 60_000);
    assert!(large.iter().map(prost::Message::encoded_len).sum::<usize>() > 5 << 20);
    let batch = devices.batch(large.clone()).await;
    let stream = devices
        .stream(tokio_stream::iter(vec![large.clone()]))
        .await;
    for status in [batch, stream].map(Result::unwrap_err) {
        assert_refused(&status, Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
        assert!(status.message().contains("524288"), "{status}");
    }
    let topic = topic().await;
    assert!(!ids(&large).iter().any(|id| topic.contains_key(id)));
}

/// The control of the test above: nothing but the size is refused.
#[tokio::test]
async fn a_message_that_is_as_large_as_may_be_is_taken_and_one_reading_more_is_not() {
    let _in_use = in_use().await;
    const LARGEST: usize = 512 << 10;
    let devices = Devices::new(stack()).await.unwrap();
    let many = readings(NOBODYS, IN_2020, 6_000);
    let size = |count: usize| {
        let readings = many[..count].to_vec();
        prost::Message::encoded_len(&RecordBatchRequest { readings })
    };
    let counts: Vec<usize> = (1..=many.len()).collect();
    let most = counts.partition_point(|count| size(*count) <= LARGEST);
    assert!(most < many.len());
    let status = devices.batch(many[..=most].to_vec()).await.unwrap_err();
    assert_refused(&status, Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
    let taken = &many[..most];
    let receipt = devices.batch(taken.to_vec()).await.unwrap();
    assert_eq!(receipt.accepted, taken.len() as u64);
    let topic = topic().await;
    assert!(ids(taken).iter().all(|id| topic.contains_key(id)));
}

#[tokio::test]
async fn a_stream_that_dies_in_the_middle_is_simply_sent_again_and_counts_once() {
    let _in_use = in_use().await;
    let day = WornDay::of(stack(), "2020-06-16").await.unwrap();
    let (devices, sent) = (day.devices.clone(), day.readings(2_000));
    let messages: Vec<_> = sent.chunks(500).map(<[Reading]>::to_vec).collect();
    // Never ends, and is dropped with two of its messages sent.
    let half = tokio_stream::iter(messages[..2].to_vec()).chain(tokio_stream::pending());
    let dying = tokio::spawn({
        let devices = devices.clone();
        async move { devices.stream(half).await }
    });
    eventually("the first half is in Kafka", LIMIT, || async {
        let topic = topic().await;
        ids(&sent[..1_000]).iter().all(|id| topic.contains_key(id))
    })
    .await;
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());

    let again = devices.stream(tokio_stream::iter(messages)).await.unwrap();
    assert_eq!((again.accepted, again.duplicates), (2_000, 0));
    day.assert_kept(&sent).await;
    // The control: what the first call brought is there twice.
    let topic = topic().await;
    let times: Vec<_> = ids(&sent).iter().map(|id| topic[id]).collect();
    assert_eq!(times, [[2; 1_000], [1; 1_000]].concat());
}

#[tokio::test]
async fn nobody_but_the_devices_backend_may_bring_readings() {
    let _in_use = in_use().await;
    let guest = Guest::new(stack(), Difference::None).await.unwrap();
    let operator = guest.token_of(stack().user("operator1")).await.unwrap();
    guest.leave().await.unwrap();
    let clients = &stack().keycloak.clients;
    let internal = tokens::of_client(stack(), &clients.internal).await.unwrap();
    let gateway = tokens::of_client(stack(), &clients.gateway).await.unwrap();
    for (token, code, expected) in [
        (&operator, Code::PermissionDenied, "ACCESS_DENIED"),
        (&internal, Code::PermissionDenied, "ACCESS_DENIED"),
        (&gateway, Code::Unauthenticated, "TOKEN_AUDIENCE"),
    ] {
        let caller = Devices::with_token(stack(), token).unwrap();
        let sent = readings(NOBODYS, IN_2020, 1);
        let batch = caller.batch(sent.clone()).await.unwrap_err();
        assert_refused(&batch, code, expected);
        let stream = caller.stream(tokio_stream::iter(vec![sent])).await;
        assert_refused(&stream.unwrap_err(), code, expected);
    }
}

#[test]
fn ids_of_the_tests_are_such_as_devices_make() {
    let id: Uuid = new_id().parse().unwrap();
    assert_eq!(id.get_version_num(), 7);
}

fn assert_refused(status: &Status, code: Code, expected: &str) {
    let found = (status.code(), reason(status));
    assert_eq!(found, (code, expected.to_owned()), "{status}");
    assert!(status.get_details_error_info().is_some());
}
