#![allow(clippy::unwrap_used)]
use std::{thread, time::Instant};

use rdkafka::{
    mocking::MockCluster,
    producer::{BaseProducer, BaseRecord, Producer as _},
};

use super::*;

const TOPIC: &str = "things";
const LIMIT: Duration = Duration::from_secs(60);
const WAIT: Duration = Duration::from_millis(100);

/// A cluster of one broker, whose only topic has a message in each of two partitions.
fn cluster() -> MockCluster<'static, rdkafka::producer::DefaultProducerContext> {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 2, 1).unwrap();
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .create()
        .unwrap();
    for partition in 0..2 {
        let record = BaseRecord::to(TOPIC).partition(partition);
        producer.send(record.key("key").payload("value")).unwrap();
    }
    producer.flush(LIMIT).unwrap();
    cluster
}

fn member(
    cluster: &MockCluster<'static, rdkafka::producer::DefaultProducerContext>,
) -> Consumer<()> {
    let config = crate::kafka::group_config(&cluster.bootstrap_servers(), "test", "group");
    let (spare, gaps) = (Arc::new(Spare::new(())), Arc::new(Gaps::of("group")));
    Consumer::join(config, &[TOPIC], spare, gaps).unwrap()
}

/// Polls all `members` until `done` says so of what the last of them has read.
fn poll_until(members: &[&Consumer<()>], mut done: impl FnMut(Option<(Assignment, i32)>) -> bool) {
    let began = Instant::now();
    loop {
        for member in members {
            let mut read = None;
            member.poll(WAIT, |assignment, received| {
                read = Some((assignment, received.partition));
            });
            if done(read) {
                return;
            }
        }
        assert!(began.elapsed() < LIMIT, "the group does not get that far");
    }
}

fn first_message_of(partition: i32) -> Vec<Range> {
    vec![Range {
        topic: TOPIC.to_owned(),
        partition,
        first: 0,
        last: 0,
        note: Some(7),
    }]
}

fn committed(consumer: &Consumer<()>, partition: i32) -> Offset {
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition(TOPIC, partition);
    let committed = consumer.inner.committed_offsets(partitions, LIMIT).unwrap();
    committed.elements()[0].offset()
}

#[test]
fn what_was_read_under_an_assignment_that_is_over_is_not_committed() {
    let cluster = cluster();
    let first = member(&cluster);
    let mut read = None;
    poll_until(&[&first], |message| {
        read = read.or(message);
        read.is_some()
    });
    let (assignment, partition) = read.unwrap();
    let range = first_message_of(partition);

    // Another member takes a share: the assignment ends, whatever the next one brings.
    let second = member(&cluster);
    poll_until(&[&first, &second], |_| first.assignment() != assignment);
    assert_eq!(first.commit(&range, assignment), Ok(Committed::NotOurs));
    assert_eq!(committed(&first, partition), Offset::Invalid);

    // The negative control: the broker itself takes it from a member of the new generation. While
    // the group is still being rebalanced it takes nothing, and a commit may wait until the members
    // have been polled: so it is tried beside the polls.
    let began = Instant::now();
    let commit = || first.commit(&range, first.assignment());
    thread::scope(|scope| {
        let committing = scope.spawn(|| {
            while commit() != Ok(Committed::Done) && began.elapsed() < LIMIT {
                thread::yield_now();
            }
        });
        poll_until(&[&second, &first], |_| committing.is_finished());
    });
    assert_eq!(committed(&first, partition), Offset::Offset(1));
}

/// Sends until the broker has deleted the first messages of partition 0: it keeps some megabytes.
fn overflow(cluster: &MockCluster<'static, rdkafka::producer::DefaultProducerContext>) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("linger.ms", "0")
        .create()
        .unwrap();
    let payload = vec![0; 900_000];
    for _ in 0..10 {
        let record = BaseRecord::to(TOPIC).partition(0);
        producer.send(record.key("key").payload(&payload)).unwrap();
        producer.flush(LIMIT).unwrap();
    }
}

/// Up to where a member tells that messages of both partitions were deleted, when it has them.
fn told(member: &Consumer<()>) -> [i64; 2] {
    let told = |partition| member.inner.context().gaps.told_up_to(TOPIC, partition);
    poll_until(&[member], |_| told(0).is_some());
    [0, 1].map(|partition| told(partition).unwrap())
}

#[test]
fn a_member_tells_of_messages_that_were_deleted_before_they_were_applied() {
    let cluster = cluster();
    let first = member(&cluster);
    let mut read = [false; 2];
    poll_until(&[&first], |message| {
        if let Some((_, partition)) = message {
            read[usize::try_from(partition).unwrap()] = true;
        }
        read == [true; 2]
    });
    for partition in 0..2 {
        let range = first_message_of(partition);
        assert_eq!(
            first.commit(&range, first.assignment()),
            Ok(Committed::Done)
        );
    }
    assert_eq!(told(&first), [0, 0]);
    drop(first);
    overflow(&cluster);
    let [deleted, kept] = told(&member(&cluster));
    assert!(deleted > 1, "{deleted}");
    assert_eq!(kept, 0);
}
