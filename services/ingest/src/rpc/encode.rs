//! From the domain's values to the contract's messages.

use bionicpro_mesh::status::Reason;
use bionicpro_proto::ingest::v1;
use chrono::{DateTime, Utc};
use prost_types::Timestamp;

use crate::run::{Run, RunState};

pub(super) fn run(run: Run) -> v1::Run {
    let (failure_reason, failure) = match run.failure {
        Some(failure) => (failure.reason, failure.sentence),
        None => (Reason::Unspecified, String::new()),
    };
    v1::Run {
        run_id: run.id.to_string(),
        request_id: run.request_id.to_string(),
        start_day: run.days.first().to_string(),
        end_day: run.days.last().to_string(),
        state: state(run.state).into(),
        days_done: run.progress.days_done,
        readings_read: run.progress.readings_read,
        mart_rows_written: run.progress.mart_rows_written,
        created_at: Some(timestamp(run.created_at)),
        started_at: run.started_at.map(timestamp),
        finished_at: run.finished_at.map(timestamp),
        failure,
        failure_reason: failure_reason.into(),
        readings_sent: run.progress.readings_sent,
        readings_unassigned: run.progress.readings_unassigned,
        crm_watermark: run.crm_watermark.map(timestamp),
        reopened: run.reopened,
    }
}

fn state(state: RunState) -> v1::RunState {
    match state {
        RunState::Pending => v1::RunState::Pending,
        RunState::Running => v1::RunState::Running,
        RunState::Succeeded => v1::RunState::Succeeded,
        RunState::Failed => v1::RunState::Failed,
        RunState::Abandoned => v1::RunState::Abandoned,
    }
}

fn timestamp(time: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: time.timestamp(),
        nanos: time.timestamp_subsec_nanos().cast_signed(),
    }
}
