//! A trace goes through all processes: asserted edge by edge, as Jaeger shows it.

mod canary;
mod downloads;
mod edges;
mod journeys;
mod metrics;

use tokio::sync::{Mutex, MutexGuard};

/// Held by a test that sends readings: those of several at once would be one batch, too.
async fn readings_to_oneself() -> MutexGuard<'static, ()> {
    static READINGS: Mutex<()> = Mutex::const_new(());
    READINGS.lock().await
}

/// Held by a test that changes the CRM: changes of several at once would be one batch of the cdc
/// service, and what is traced is how a batch is inserted.
async fn crm_to_oneself() -> MutexGuard<'static, ()> {
    static CRM: Mutex<()> = Mutex::const_new(());
    CRM.lock().await
}
