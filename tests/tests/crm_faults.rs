//! Nothing is lost or doubled on the road from the CRM to the views while its
//! parts are killed. The last test takes the safety out and must see a loss.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bionicpro_tests::processes::Process;
use bionicpro_tests::{crm, eventually, stack};
use tokio_postgres::Client;

/// How long all changes may take once everything runs again.
const CATCH_UP: Duration = Duration::from_secs(60);
/// How long a killed process may take to be back.
const COMEBACK: Duration = Duration::from_secs(60);

/// Makes a hundred changes of rows in one transaction.
async fn change_a_hundred_rows(crm: &Client) {
    let ours = "SELECT id FROM customers WHERE email = 'fault@example.org' ORDER BY random()";
    crm.batch_execute(&format!(
        "BEGIN;
         INSERT INTO customers (id, full_name, email, phone, country, locale, time_zone, status)
           SELECT gen_random_uuid(), 'Customer ' || n, 'fault@example.org', '+447700900000', 'GB', 'en-GB', 'Europe/London', 'active'
           FROM generate_series(1, 40) n;
         UPDATE customers SET full_name = full_name || '.', updated_at = clock_timestamp() WHERE id IN ({ours} LIMIT 30);
         UPDATE customers SET id = gen_random_uuid() WHERE id IN ({ours} LIMIT 15);
         DELETE FROM customers WHERE id IN ({ours} LIMIT 15);
         COMMIT"
    ))
    .await
    .unwrap();
}

async fn views_are_equal(crm: &Client) -> bool {
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
    let Ok(status) = answer.json::<serde_json::Value>().await else {
        return false;
    };
    status["tasks"][0]["state"] == "RUNNING"
}

async fn consumer_runs() -> bool {
    let address = &stack().cdc.url;
    tokio::net::TcpStream::connect((address.host_str().unwrap(), address.port().unwrap()))
        .await
        .is_ok()
}

#[tokio::test]
async fn ten_thousand_changes_survive_the_deaths_of_consumer_and_connect() {
    const ROUNDS: usize = 100;
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
    crm.execute(
        "DELETE FROM customers WHERE email = 'fault@example.org'",
        &[],
    )
    .await
    .unwrap();
    eventually("views equal tables again", CATCH_UP, || {
        views_are_equal(&crm)
    })
    .await;
}
