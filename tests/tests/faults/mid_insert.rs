//! ClickHouse dies while it takes an insert of readings: with a part of it there, or with all of it
//! applied and the answer not given. Two tests take a safety out and must see a difference.
#![allow(clippy::unwrap_used)]

use bionicpro_proto::ingest::v1::Reading;
use bionicpro_tests::devices::{Devices, all_arrived, arrived, readings};
use bionicpro_tests::loader::{Etl, Loader};
use bionicpro_tests::processes::{Away, Process};
use bionicpro_tests::proxy::{Proxy, Rule};
use bionicpro_tests::{crm, eventually, stack};

use crate::alone;
use crate::telemetry::{IN_2020, LIMIT, NOBODYS, until_accepted};
use crate::unmerged::unmerged;

const ROWS: u32 = 3_000;

#[tokio::test]
async fn an_insert_whose_answer_dies_with_clickhouse_is_stored_once() {
    let _alone = alone().await;
    let (found, rows) = unmerged(lose_the_answer(&[])).await;
    assert_eq!((found, rows), (ROWS, ROWS), "lost or doubled");
}

/// The negative control: without its token the insert that is repeated is another one.
#[tokio::test]
async fn the_same_insert_is_stored_twice_without_deduplication() {
    let _alone = alone().await;
    let (found, rows) = unmerged(lose_the_answer(&["--fault=insert-without-deduplication"])).await;
    assert_eq!(found, ROWS);
    assert!(
        rows > ROWS,
        "nothing is doubled: the test above proves nothing"
    );
}

#[tokio::test]
async fn an_insert_that_is_half_through_when_clickhouse_dies_is_stored_once() {
    let _alone = alone().await;
    let outcome = unmerged(async {
        let ingest = Process::of(stack(), "ingest");
        let writer = Writer::start(&ingest, &[]).await;
        let sent = writer.insert(Rule::KeepBodies).await;
        clickhouse_dies().await;
        writer.goes_on(&sent).await
    })
    .await;
    assert_eq!(outcome, (ROWS, ROWS), "lost or doubled");
}

#[tokio::test]
async fn an_insert_that_is_half_through_when_clickhouse_and_the_writer_die_is_stored_once() {
    let _alone = alone().await;
    let (found, rows) = unmerged(lose_both(&[])).await;
    assert_eq!((found, rows), (ROWS, ROWS), "lost or doubled");
}

/// The negative control: committed first, the insert that is half through is lost.
#[tokio::test]
async fn the_same_insert_is_lost_when_its_offsets_are_committed_first() {
    let _alone = alone().await;
    let (found, _) = unmerged(lose_both(&["--fault=commit-before-insert"])).await;
    assert!(
        found < ROWS,
        "nothing is lost: the test above proves nothing"
    );
}

/// Lets ClickHouse die between an insert and its answer; how many readings there are at the end,
/// in how many rows.
async fn lose_the_answer(arguments: &[&str]) -> (u32, u32) {
    let ingest = Process::of(stack(), "ingest");
    let writer = Writer::start(&ingest, arguments).await;
    let sent = writer.insert(Rule::KeepAnswers).await;
    clickhouse_dies().await;
    let (applied, _) = arrived(stack(), &sent).await.unwrap();
    assert!(applied > 0, "the insert was not applied");
    writer.goes_on(&sent).await
}

/// Lets ClickHouse and the writer die in the middle of an insert, and the stack's own go on.
async fn lose_both(arguments: &[&str]) -> (u32, u32) {
    let ingest = Process::of(stack(), "ingest");
    let writer = Writer::start(&ingest, arguments).await;
    let sent = writer.insert(Rule::KeepBodies).await;
    clickhouse_dies().await;
    drop(writer);
    Etl::new(stack()).await.unwrap().answers().await;
    // What was read before them and is not there by then will not come.
    let later = readings(NOBODYS, IN_2020, 1);
    until_accepted(&Devices::new(stack()).await.unwrap(), &later).await;
    all_arrived(stack(), &later).await;
    arrived(stack(), &sent).await.unwrap()
}

/// Kills ClickHouse and waits until another one is there.
async fn clickhouse_dies() {
    let clickhouse = Process::of(stack(), "clickhouse");
    let old = clickhouse.pid().unwrap();
    clickhouse.kill().unwrap();
    eventually("ClickHouse is back", LIMIT, || async {
        clickhouse.pid().is_ok_and(|pid| pid != old)
            && crm::query_clickhouse::<[u8; 1]>(stack(), "SELECT 1")
                .await
                .is_ok()
    })
    .await;
}

/// A writer whose way to ClickHouse can be blocked. Dropped, it is killed before the stack's own
/// comes back.
struct Writer<'a> {
    _process: Loader,
    clickhouse: Proxy,
    _away: Away<'a>,
}

impl<'a> Writer<'a> {
    /// In the place of the stack's own; it has its partitions.
    async fn start(ingest: &'a Process<'a>, arguments: &[&str]) -> Self {
        let clickhouse = Proxy::to(&stack().clickhouse.url).await.unwrap();
        let away = ingest.stop().unwrap();
        let process = Loader::with_clickhouse(stack(), clickhouse.url(), arguments).unwrap();
        let first = readings(NOBODYS, IN_2020, 1);
        until_accepted(&Devices::new(stack()).await.unwrap(), &first).await;
        all_arrived(stack(), &first).await;
        Self {
            _process: process,
            clickhouse,
            _away: away,
        }
    }

    /// Sends readings, and answers them when an insert of some of them is blocked by a rule. No
    /// other one comes through after it.
    async fn insert(&self, rule: Rule) -> Vec<Reading> {
        self.clickhouse.rule(rule);
        let sent = readings(NOBODYS, IN_2020, ROWS as usize);
        until_accepted(&Devices::new(stack()).await.unwrap(), &sent).await;
        self.clickhouse.has_caught().await;
        self.clickhouse.rule(Rule::Refuse);
        sent
    }

    /// Frees the way; how many of the readings there are then, in how many rows.
    async fn goes_on(self, sent: &[Reading]) -> (u32, u32) {
        self.clickhouse.rule(Rule::Pass);
        all_arrived(stack(), sent).await;
        // Its batch was committed before these were inserted.
        let later = readings(NOBODYS, IN_2020, 1);
        until_accepted(&Devices::new(stack()).await.unwrap(), &later).await;
        all_arrived(stack(), &later).await;
        arrived(stack(), sent).await.unwrap()
    }
}
