//! A run of the daily load as a value: its identity, days, state and counters. Not here: how it is
//! stored, and what working on it means.

use bionicpro_mesh::status::Reason;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::days::Days;

/// A run as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) request_id: Uuid,
    pub(crate) days: Days,
    pub(crate) state: RunState,
    pub(crate) progress: Progress,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) started_at: Option<DateTime<Utc>>,
    pub(crate) finished_at: Option<DateTime<Utc>>,
    /// What went wrong, where it failed.
    pub(crate) failure: Option<RunFailure>,
    /// Up to when the CRM's changes are in what it builds; not known before it has waited for them.
    pub(crate) crm_watermark: Option<DateTime<Utc>>,
    /// It was started here, because the wearers of its days have changed, or readings of them
    /// have arrived.
    pub(crate) reopened: bool,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunFailure {
    pub(crate) reason: Reason,
    /// A sentence without data.
    pub(crate) sentence: String,
}

/// A run's identifier (UUIDv7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RunId(pub(crate) Uuid);

impl RunId {
    pub(crate) fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunState {
    Pending,
    Running,
    Succeeded,
    Failed,
    Abandoned,
}

/// What a run, or one of its days, has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) days_done: u32,
    /// Readings that were read from the source.
    pub(crate) readings_read: u64,
    /// Readings that devices sent and that count.
    pub(crate) readings_sent: u64,
    /// Of all that count, the ones whose prosthesis nobody wore at the time.
    pub(crate) readings_unassigned: u64,
    /// Rows that are in the datamart now.
    pub(crate) mart_rows_written: u64,
}

/// Why a loaded day has to be loaded again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Devices have sent readings of it.
    Arrivals,
    /// The CRM gives it other wearers.
    Wearers,
}

impl Change {
    /// Whether a day rests the longer the more often it is loaded, so that one of which readings
    /// keep arriving is not loaded all the time; and at how many waiting runs of days no further
    /// one is made. One of them is left to wearers: many days of late readings do not keep them out.
    pub(crate) fn rules(self) -> (bool, i64) {
        match self {
            Self::Arrivals => (true, 1),
            Self::Wearers => (false, 2),
        }
    }
}
