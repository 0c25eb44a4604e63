//! Nothing is lost or doubled on the road from the CRM to the views while its
//! parts are killed. The last test takes the safety out and must see a loss.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bionicpro_tests::consumer::{self, Consumer};
use bionicpro_tests::processes::Process;
use bionicpro_tests::{crm, eventually, stack};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::alone;

/// How long all changes may take once everything runs again.
const CATCH_UP: Duration = Duration::from_secs(60);
/// How long a killed process may take to be back.
const COMEBACK: Duration = Duration::from_secs(60);

#[tokio::test]
async fn ten_thousand_changes_survive_the_deaths_of_consumer_and_connect() {
    const ROUNDS: usize = 100;
    let _alone = alone().await;
    let crm = crm::connect(stack()).await.unwrap();
    for round in 0..ROUNDS {
        change_a_hundred_rows(&crm).await;
        match round {
            15 | 55 => Process::of(stack(), "cdc").kill().unwrap(),
            35 | 75 => Process::of(stack(), "debezium").kill().unwrap(),
            // The next death comes when there is somebody to die.
            30 | 70 => eventually("the consumer is back", COMEBACK, consumer_runs).await,
            50 | 90 => eventually("the connector is back", COMEBACK, connector_runs).await,
            _ => {}
        }
    }
    eventually("views equal tables", CATCH_UP, || views_are_equal(&crm)).await;
    forget(&crm).await;
}

#[tokio::test]
async fn a_batch_survives_the_consumer_that_could_not_insert_it() {
    let _alone = alone().await;
    let crm = crm::connect(stack()).await.unwrap();
    die_while_clickhouse_is_away(&crm, &[]).await;
    assert!(views_are_equal(&crm).await, "changes are lost");
    forget(&crm).await;
}

/// The negative control: committed first, the same batch is lost. Read once
/// more from its beginning, the log brings it back, and nothing old wins.
#[tokio::test]
async fn the_same_batch_is_lost_when_its_offsets_are_committed_first() {
    let _alone = alone().await;
    let crm = crm::connect(stack()).await.unwrap();
    die_while_clickhouse_is_away(&crm, &["--fault=commit-before-insert"]).await;
    assert!(
        !views_are_equal(&crm).await,
        "nothing is lost: the tests above prove nothing"
    );

    replay(&crm).await;
    forget(&crm).await;
}

/// Has the whole log read again.
pub(crate) async fn replay(crm: &Client) {
    let cdc = Process::of(stack(), "cdc");
    let away = cdc.stop().unwrap();
    tokio::task::spawn_blocking(|| consumer::rewind(stack()))
        .await
        .unwrap()
        .unwrap();
    drop(away);
    eventually("the replayed log brings it back", CATCH_UP, || {
        views_are_equal(crm)
    })
    .await;
}

/// The fault test of a fault in our own code: a process that serves and applies nothing would be
/// the worst of both.
#[tokio::test]
async fn a_consumer_that_panics_ends_and_its_successor_loses_nothing() {
    let _alone = alone().await;
    let crm = crm::connect(stack()).await.unwrap();
    let cdc = Process::of(stack(), "cdc");
    let away = cdc.stop().unwrap();
    let mut consumer = Consumer::start(stack(), &["--fault=panic-while-applying"]).unwrap();
    change_a_hundred_rows(&crm).await;
    let mut status = None;
    eventually("the consumer has ended", CATCH_UP, || {
        status = consumer.ended().unwrap();
        std::future::ready(status.is_some())
    })
    .await;
    assert!(!status.unwrap().success(), "it ended as if all were well");
    let log = consumer.log().unwrap();
    assert!(log.contains("the pipeline has broken"), "{log}");

    drop(away);
    later_changes_arrive(&crm).await;
    assert!(views_are_equal(&crm).await, "changes are lost");
    forget(&crm).await;
}

/// Makes changes while ClickHouse is away, kills the consumer that has read
/// them, and lets the stack's own go on with everything there again.
async fn die_while_clickhouse_is_away(crm: &Client, arguments: &[&str]) {
    let (cdc, clickhouse) = (
        Process::of(stack(), "cdc"),
        Process::of(stack(), "clickhouse"),
    );
    let cdc_away = cdc.stop().unwrap();
    let consumer = Consumer::start(stack(), arguments).unwrap();
    later_changes_arrive(crm).await;

    let clickhouse_away = clickhouse.stop().unwrap();
    change_a_hundred_rows(crm).await;
    eventually("the consumer has tried to insert", CATCH_UP, || async {
        consumer.log().unwrap().contains("messages are not applied")
    })
    .await;
    drop(consumer);

    drop(clickhouse_away);
    drop(cdc_away);
    // What was read before them and is not there by then will not come.
    later_changes_arrive(crm).await;
}

/// Makes a hundred changes of rows in one transaction.
async fn change_a_hundred_rows(crm: &Client) {
    let ours = "SELECT id FROM customers WHERE email = 'fault@example.org' ORDER BY random()";
    let updated = format!(
        "UPDATE customers SET full_name = full_name || '.', updated_at = clock_timestamp() WHERE id IN ({ours} LIMIT 30)"
    );
    let moved =
        format!("UPDATE customers SET id = gen_random_uuid() WHERE id IN ({ours} LIMIT 15)");
    let deleted = format!("DELETE FROM customers WHERE id IN ({ours} LIMIT 15)");
    let inserted = insert("Customer", 40);
    let transaction = format!("BEGIN; {inserted}; {updated}; {moved}; {deleted}; COMMIT");
    crm.batch_execute(&transaction).await.unwrap();
}

/// Makes changes in every partition, each as far as its own, and waits until
/// they are in the view.
pub(crate) async fn later_changes_arrive(crm: &Client) {
    const ROWS: u32 = 32;
    let name = Uuid::new_v4().to_string();
    crm.batch_execute(&insert(&name, ROWS)).await.unwrap();
    let stack = stack();
    let query = &format!(
        "SELECT toUInt32(count()) FROM {}.crm_customers WHERE full_name = '{name}'",
        stack.clickhouse.database
    );
    eventually("later changes are there", CATCH_UP, || async {
        let answer = crm::query_clickhouse::<[u32; 1]>(stack, query).await;
        answer.is_ok_and(|rows| rows == [[ROWS]])
    })
    .await;
}

pub(crate) fn insert(name: &str, rows: u32) -> String {
    format!(
        "INSERT INTO customers (id, full_name, email, phone, country, locale, time_zone, status)
         SELECT gen_random_uuid(), '{name}', 'fault@example.org', '+447700900000', 'GB', 'en-GB', 'Europe/London', 'active'
         FROM generate_series(1, {rows})"
    )
}

pub(crate) async fn forget(crm: &Client) {
    crm.batch_execute("DELETE FROM customers WHERE email = 'fault@example.org'")
        .await
        .unwrap();
    eventually("views equal tables again", CATCH_UP, || {
        views_are_equal(crm)
    })
    .await;
}

pub(crate) async fn views_are_equal(crm: &Client) -> bool {
    let stack = stack();
    crm::views_equal_tables(stack, &stack.clickhouse.database, crm)
        .await
        .unwrap()
}

async fn connector_runs() -> bool {
    let connect = &stack().connect;
    let address = format!("{}connectors/{}/status", connect.url, connect.connector);
    let Ok(answer) = bionicpro_tests::http().get(address).send().await else {
        return false;
    };
    let status: Result<serde_json::Value, _> = answer.json().await;
    status.is_ok_and(|status| status["tasks"][0]["state"] == "RUNNING")
}

async fn consumer_runs() -> bool {
    let address = stack().cdc.url.socket_addrs(|| None).unwrap()[0];
    tokio::net::TcpStream::connect(address).await.is_ok()
}
