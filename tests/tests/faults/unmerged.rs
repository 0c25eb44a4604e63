//! ClickHouse without merges of readings: a merge makes one row of two, so that a batch that was
//! inserted twice would look as if it had not been.
#![allow(clippy::unwrap_used)]

use std::panic::{AssertUnwindSafe, resume_unwind};

use bionicpro_tests::{crm, eventually, stack};
use futures::FutureExt as _;

use crate::telemetry::LIMIT;

/// Lets something happen while no readings are merged. A setting of the table is what also holds
/// when ClickHouse was killed meanwhile: no parts are small enough together.
pub(crate) async fn unmerged<T>(happens: impl Future<Output = T>) -> T {
    alter("MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1").await;
    let outcome = AssertUnwindSafe(happens).catch_unwind().await;
    alter("RESET SETTING max_bytes_to_merge_at_max_space_in_pool").await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

async fn alter(change: &str) {
    let table = format!("{}.telemetry_readings", stack().clickhouse.database);
    let statement = format!("ALTER TABLE {table} {change}");
    eventually("the table is altered", LIMIT, || async {
        let altered = crm::change_clickhouse(stack(), &statement).await;
        altered.map_err(|error| format!("{error:#}"))
    })
    .await;
}
