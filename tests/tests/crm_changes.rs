//! Changes in the CRM's Postgres arrive in the views that our services read.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bionicpro_proto::cdc::v1::{GetStatusRequest, GetStatusResponse};
use bionicpro_tests::consumer::PARTITIONS;
use bionicpro_tests::crm::{self, query_clickhouse};
use bionicpro_tests::{eventually, rpc, stack, tokens};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use tokio_postgres::Client;
use uuid::Uuid;

/// How long a change may take.
const ARRIVAL: Duration = Duration::from_secs(5);

const CUSTOMERS: &str = "crm.public.customers";

async fn insert(crm: &Client, id: Uuid, name: &str) {
    let statement = "INSERT INTO customers (id, full_name, email, phone, country, locale, time_zone, status)
                     VALUES ($1, $2, 'someone@example.org', '+447700900000', 'GB', 'en-GB', 'Europe/London', 'active')";
    crm.execute(statement, &[&id, &name]).await.unwrap();
}

async fn delete(crm: &Client, id: Uuid) {
    crm.execute("DELETE FROM customers WHERE id = $1", &[&id])
        .await
        .unwrap();
}

/// The customer's name in the view; `None` when the view has no such customer.
async fn name_in_view(id: Uuid) -> Option<String> {
    let database = &stack().clickhouse.database;
    let query = format!("SELECT full_name FROM {database}.crm_customers WHERE id = '{id}'");
    let rows: Vec<[String; 1]> = query_clickhouse(stack(), &query).await.unwrap();
    assert!(rows.len() < 2, "{id} is there {} times", rows.len());
    rows.into_iter().next().map(|[name]| name)
}

async fn arrives(id: Uuid, name: Option<&str>) {
    eventually(&format!("{id} is {name:?}"), ARRIVAL, || async move {
        name_in_view(id).await.as_deref() == name
    })
    .await;
}

async fn status() -> GetStatusResponse {
    let token = tokens::of_client(stack(), &stack().keycloak.clients.internal)
        .await
        .unwrap();
    let method = "/bionicpro.cdc.v1.CdcService/GetStatus";
    rpc::call(&stack().cdc.url, method, Some(&token), GetStatusRequest {})
        .await
        .unwrap()
}

#[tokio::test]
async fn an_insert_an_update_and_a_delete_arrive() {
    let crm = crm::connect(stack()).await.unwrap();
    let id = Uuid::now_v7();

    insert(&crm, id, "Инна O'Neill\t\\N").await;
    arrives(id, Some("Инна O'Neill\t\\N")).await;

    crm.execute(
        "UPDATE customers SET full_name = 'Inna' WHERE id = $1",
        &[&id],
    )
    .await
    .unwrap();
    arrives(id, Some("Inna")).await;

    delete(&crm, id).await;
    arrives(id, None).await;
}

#[tokio::test]
async fn a_changed_key_takes_the_row_with_it() {
    let crm = crm::connect(stack()).await.unwrap();
    let (old, new) = (Uuid::now_v7(), Uuid::now_v7());
    insert(&crm, old, "Moved").await;
    arrives(old, Some("Moved")).await;

    crm.execute("UPDATE customers SET id = $2 WHERE id = $1", &[&old, &new])
        .await
        .unwrap();
    arrives(new, Some("Moved")).await;
    arrives(old, None).await;
    delete(&crm, new).await;
}

#[tokio::test]
async fn a_row_that_is_deleted_and_made_again_in_one_transaction_stays() {
    let mut crm = crm::connect(stack()).await.unwrap();
    let id = Uuid::now_v7();
    insert(&crm, id, "First").await;

    let transaction = crm.transaction().await.unwrap();
    delete(transaction.client(), id).await;
    insert(transaction.client(), id, "Second").await;
    transaction.commit().await.unwrap();
    arrives(id, Some("Second")).await;
    delete(&crm, id).await;
}

#[tokio::test]
async fn a_change_that_is_rolled_back_never_arrives() {
    let mut crm = crm::connect(stack()).await.unwrap();
    let (id, marker) = (Uuid::now_v7(), Uuid::now_v7());
    let transaction = crm.transaction().await.unwrap();
    insert(transaction.client(), id, "Nobody").await;
    transaction.rollback().await.unwrap();

    // Once a later change is there, an earlier one would be too.
    insert(&crm, marker, "Somebody").await;
    arrives(marker, Some("Somebody")).await;
    assert_eq!(name_in_view(id).await, None);
    delete(&crm, marker).await;
}

#[tokio::test]
async fn values_of_every_type_arrive_as_they_are() {
    let crm = crm::connect(stack()).await.unwrap();
    let (customer, prosthesis) = (Uuid::now_v7(), Uuid::now_v7());
    insert(&crm, customer, "Typed").await;
    let made = "INSERT INTO prostheses VALUES ($1, $2, 'Grip One', 'left', '3.1.4', '1969-12-31')";
    crm.execute(made, &[&prosthesis, &prosthesis.to_string()])
        .await
        .unwrap();
    crm.batch_execute(&format!(
        "INSERT INTO assignments VALUES (gen_random_uuid(), '{prosthesis}', '{customer}', '2001-02-03 04:05:06.000007+08', NULL);
         INSERT INTO service_visits VALUES (gen_random_uuid(), '{prosthesis}', '1999-12-31 23:59:59.999999Z', 'repair', repeat('long ', 2000), 9999999999.90);"
    ))
    .await
    .unwrap();

    let stack = stack();
    for table in &crm::TABLES {
        let theirs = |rows: std::collections::BTreeSet<crm::Row>| -> Vec<crm::Row> {
            let id = [customer.to_string(), prosthesis.to_string()];
            let is_theirs = |row: &crm::Row| row.iter().flatten().any(|value| id.contains(value));
            rows.into_iter().filter(is_theirs).collect()
        };
        let expected = theirs(crm::rows(&crm, table).await.unwrap());
        assert_eq!(expected.len(), 1, "{}", table.name);
        eventually(
            &format!("{} has {expected:?}", table.name),
            ARRIVAL,
            || async {
                let rows = crm::view_rows(stack, &stack.clickhouse.database, table)
                    .await
                    .unwrap();
                theirs(rows) == expected
            },
        )
        .await;
    }
    for (table, column) in [
        ("service_visits", "prosthesis_id"),
        ("assignments", "prosthesis_id"),
        ("prostheses", "id"),
    ] {
        let statement = format!("DELETE FROM {table} WHERE {column} = $1");
        crm.execute(&statement, &[&prosthesis]).await.unwrap();
    }
    delete(&crm, customer).await;
}

/// Makes a prosthesis.
async fn make_prosthesis(crm: &Client) -> Uuid {
    let id = Uuid::now_v7();
    let made = "INSERT INTO prostheses VALUES ($1, $2, 'Grip One', 'left', '3.1.4', '2026-01-01')";
    crm.execute(made, &[&id, &id.to_string()]).await.unwrap();
    id
}

/// Makes a visit with notes so long that Postgres does not log them again with every change.
async fn make_long_visit(crm: &Client, prosthesis: Uuid) -> Uuid {
    let id = Uuid::now_v7();
    // Random, so that it stays above two kilobytes however well it is compressed.
    let visited = "INSERT INTO service_visits
                   SELECT $1, $2, now(), 'repair', string_agg(md5(random()::text), ''), 1
                   FROM generate_series(1, 500)";
    crm.execute(visited, &[&id, &prosthesis]).await.unwrap();
    id
}

/// Changes the cost of a visit, and its key.
async fn move_visit(crm: &Client, from: Uuid, to: Uuid) {
    let moved = "UPDATE service_visits SET id = $2, cost = 2 WHERE id = $1";
    crm.execute(moved, &[&from, &to]).await.unwrap();
}

async fn delete_visits(crm: &Client, prosthesis: Uuid) {
    for statement in [
        "DELETE FROM service_visits WHERE prosthesis_id = $1",
        "DELETE FROM prostheses WHERE id = $1",
    ] {
        crm.execute(statement, &[&prosthesis]).await.unwrap();
    }
}

/// Notes and cost of a visit in the view.
async fn visit_in_view(id: Uuid) -> Option<[String; 2]> {
    let database = &stack().clickhouse.database;
    let query = format!(
        "SELECT notes, toString(cost) FROM {database}.crm_service_visits WHERE id = '{id}'"
    );
    let rows: Vec<[String; 2]> = query_clickhouse(stack(), &query).await.unwrap();
    rows.into_iter().next()
}

/// Waits until a visit costs 2 and has the notes that the CRM has.
async fn visit_arrives(crm: &Client, id: Uuid) {
    let notes: String = crm
        .query_one("SELECT notes FROM service_visits WHERE id = $1", &[&id])
        .await
        .unwrap()
        .get(0);
    let expected = Some([notes, "2".to_owned()]);
    eventually(
        "the visit has its new cost and its old notes",
        ARRIVAL,
        || async { visit_in_view(id).await == expected },
    )
    .await;
}

#[tokio::test]
async fn an_unchanged_long_text_survives_an_update_of_another_column() {
    let crm = crm::connect(stack()).await.unwrap();
    let prosthesis = make_prosthesis(&crm).await;
    let visit = make_long_visit(&crm, prosthesis).await;
    crm.execute(
        "UPDATE service_visits SET cost = 2 WHERE id = $1",
        &[&visit],
    )
    .await
    .unwrap();
    visit_arrives(&crm, visit).await;
    delete_visits(&crm, prosthesis).await;
}

#[tokio::test]
async fn an_unchanged_long_text_follows_its_row_to_a_new_key() {
    let crm = crm::connect(stack()).await.unwrap();
    let prosthesis = make_prosthesis(&crm).await;
    let (old, new) = (make_long_visit(&crm, prosthesis).await, Uuid::now_v7());
    eventually("the visit is there", ARRIVAL, || async {
        visit_in_view(old).await.is_some()
    })
    .await;
    move_visit(&crm, old, new).await;
    visit_arrives(&crm, new).await;
    assert_eq!(visit_in_view(old).await, None);
    delete_visits(&crm, prosthesis).await;
}

#[tokio::test]
async fn an_unchanged_long_text_follows_its_row_within_a_transaction() {
    let mut crm = crm::connect(stack()).await.unwrap();
    let prosthesis = make_prosthesis(&crm).await;
    let transaction = crm.transaction().await.unwrap();
    let old = make_long_visit(transaction.client(), prosthesis).await;
    let new = Uuid::now_v7();
    move_visit(transaction.client(), old, new).await;
    transaction.commit().await.unwrap();
    visit_arrives(&crm, new).await;
    delete_visits(&crm, prosthesis).await;
}

#[tokio::test]
async fn a_broken_message_is_set_aside_and_the_stream_goes_on() {
    let broken = format!("{{\"broken\": \"{}\"", Uuid::new_v4());
    let before = status().await.dead_letters;
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", &stack().kafka.brokers)
        .create()
        .unwrap();
    for partition in 0..PARTITIONS {
        let record = FutureRecord::to(CUSTOMERS)
            .partition(partition)
            .key("{}")
            .payload(&broken);
        producer.send(record, ARRIVAL).await.unwrap();
    }

    let query = &format!(
        "SELECT DISTINCT partition FROM {}.cdc_dead_letters FINAL WHERE topic = '{CUSTOMERS}' AND value = '{broken}' AND reason != ''",
        stack().clickhouse.database
    );
    eventually("every broken message is a dead letter", ARRIVAL, || async {
        query_clickhouse::<[i32; 1]>(stack(), query)
            .await
            .unwrap()
            .len()
            == 4
    })
    .await;
    assert!(status().await.dead_letters >= before + 4);

    // Sixteen customers fall on all partitions.
    let crm = crm::connect(stack()).await.unwrap();
    let ids: Vec<Uuid> = (0..16).map(|_| Uuid::now_v7()).collect();
    for id in &ids {
        insert(&crm, *id, "After").await;
    }
    for id in ids {
        arrives(id, Some("After")).await;
        delete(&crm, id).await;
    }
}

#[tokio::test]
async fn the_status_names_every_partition_and_its_watermark_passes_a_change() {
    let crm = crm::connect(stack()).await.unwrap();
    let id = Uuid::now_v7();
    insert(&crm, id, "Watermarked").await;
    let committed: std::time::SystemTime = crm
        .query_one("SELECT clock_timestamp()", &[])
        .await
        .unwrap()
        .get(0);
    eventually("the watermark passes the commit", 2 * ARRIVAL, || async {
        let watermark = status().await.watermark;
        watermark.is_some_and(|time| std::time::SystemTime::try_from(time).unwrap() > committed)
    })
    .await;
    assert_eq!(name_in_view(id).await.as_deref(), Some("Watermarked"));

    let status = status().await;
    for table in &crm::TABLES {
        let topic = format!("crm.public.{}", table.name);
        let of_topic: Vec<_> = status
            .partitions
            .iter()
            .filter(|partition| partition.topic == topic)
            .collect();
        assert_eq!(of_topic.len(), 4, "{topic}: {status:?}");
        for partition in of_topic {
            let lag = partition.end_offset - partition.position;
            assert_eq!(u64::try_from(lag), Ok(partition.lag), "{partition:?}");
        }
    }
    assert!(status.partitions.iter().any(|partition| partition.lsn > 0));
    delete(&crm, id).await;
}
