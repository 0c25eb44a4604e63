//! Between ready services and an open door: the seeded CRM rows have to be in
//! ClickHouse, and the seeded days in the datamart.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{cache::short_hash, grpc::Caller, parts::Site, progress::Task, seed::Plan};

const POLL: Duration = Duration::from_millis(500);
/// How long the consumer may need for the seeded rows.
const CAUGHT_UP_LIMIT: Duration = Duration::from_secs(180);
/// How long the daily load may need for all seeded days.
const LOADED_LIMIT: Duration = Duration::from_secs(900);

/// Waits until every CRM change up to now is in ClickHouse.
pub(in crate::commands) fn wait_for_changes(site: &Site, task: &Task) -> Result<()> {
    task.step("waiting for the CRM's changes");
    let caller = Caller::new(site);
    let begun = Utc::now();
    let deadline = Instant::now() + CAUGHT_UP_LIMIT;
    loop {
        let status = caller.call(
            &site.topology.cdc.address,
            "bionicpro.cdc.v1.CdcService/GetStatus",
            &json!({}),
        )?;
        if applied_up_to(&status)?.is_some_and(|watermark| watermark >= begun) {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("the CRM's changes of {begun} are not in ClickHouse yet; cdc says {status}");
        }
        thread::sleep(POLL);
    }
}

fn applied_up_to(status: &Value) -> Result<Option<DateTime<Utc>>> {
    status["watermark"]
        .as_str()
        .map(|watermark| Ok(DateTime::parse_from_rfc3339(watermark)?.to_utc()))
        .transpose()
}

/// Loads the seeded days into the datamart, unless a run has done so.
pub(in crate::commands) fn load_days(site: &Site, plan: &Plan, task: &Task) -> Result<()> {
    task.step("loading the seeded days");
    let caller = Caller::new(site);
    let call = |method: &str, request: &Value| {
        let method = format!("bionicpro.ingest.v1.EtlService/{method}");
        let answer = caller.call(&site.topology.ingest.address, &method, request)?;
        Ok::<_, anyhow::Error>(answer["run"].clone())
    };
    let deadline = Instant::now() + LOADED_LIMIT;
    for attempt in 0_u32.. {
        let mut run = call(
            "StartRun",
            &json!({
                "requestId": request_id(plan, attempt),
                "startDay": plan.first_day().to_string(),
                "endDay": plan.last_day.to_string(),
            }),
        )?;
        // A run of an earlier `up` that broke off: its request cannot be used again.
        if ended_badly(&run) {
            continue;
        }
        while run["state"] != "RUN_STATE_SUCCEEDED" {
            if ended_badly(&run) || Instant::now() > deadline {
                bail!("the seeded days are not loaded: {run}");
            }
            thread::sleep(POLL);
            let id = run["runId"].as_str().context("a run without an id")?;
            run = call("GetRun", &json!({ "runId": id }))?;
            task.step(&format!(
                "loading the seeded days, {} done",
                run["daysDone"].as_u64().unwrap_or(0)
            ));
        }
        return Ok(());
    }
    Ok(())
}

fn ended_badly(run: &Value) -> bool {
    run["state"] == "RUN_STATE_FAILED" || run["state"] == "RUN_STATE_ABANDONED"
}

/// The request's identifier (a UUID of version 8): the same for the same plan,
/// so that a second `up` starts no second run.
fn request_id(plan: &Plan, attempt: u32) -> String {
    let of = |half: &str| {
        let plan = plan.to_string();
        short_hash([half.as_bytes(), plan.as_bytes(), &attempt.to_be_bytes()])
    };
    let (high, low) = (of("high"), of("low"));
    format!(
        "{}-{}-8{}-a{}-{}",
        &high[..8],
        &high[8..12],
        &high[13..],
        &low[1..4],
        &low[4..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(customers: u32) -> Plan {
        let last_day = "2026-11-23".parse().expect("a day");
        Plan {
            seed: 1,
            customers,
            days: 30,
            last_day,
        }
    }

    #[test]
    fn a_request_id_is_a_uuid_that_depends_on_plan_and_attempt() {
        let id = request_id(&plan(200), 0);
        assert_eq!(
            id.split('-').map(str::len).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12]
        );
        assert_eq!(id, request_id(&plan(200), 0));
        assert_ne!(id, request_id(&plan(40), 0));
        assert_ne!(id, request_id(&plan(200), 1));
    }

    #[test]
    fn a_status_without_a_watermark_is_not_caught_up() {
        assert_eq!(applied_up_to(&json!({})).expect("readable"), None);
    }

    #[test]
    fn a_watermark_is_read_as_a_moment() {
        let status = json!({ "watermark": "2026-11-24T12:00:00.5Z" });
        let watermark = applied_up_to(&status).expect("readable").expect("present");
        assert_eq!(watermark.timestamp_millis() % 1000, 500);
    }
}
