//! Reports as files: asked for, made once, handed out by the CDN to those who may have them.

mod cdn;
mod files;
mod keys;
mod loss;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bionicpro_proto::reports::v1::{PeriodKind, PeriodSelector};
use bionicpro_tests::reports::period;
use tokio::sync::{Mutex, MutexGuard};

/// Several tests change the customer whose exports others count: one at a time.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// The latest week that has readings.
fn week() -> PeriodSelector {
    period(PeriodKind::Week, "", "")
}

/// Seconds since 1970, some seconds from now.
fn from_now(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or(Duration::ZERO).as_secs();
    i64::try_from(now).unwrap_or(i64::MAX) + seconds
}
