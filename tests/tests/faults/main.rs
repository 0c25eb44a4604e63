//! What the mesh survives: real processes are killed, frozen and restarted while it works, and an
//! oracle counts. A part's faults stand in a file of its own.

mod crm;
mod daily_load;
mod export_queue;
mod exports;
mod graceful;
mod jaeger;
mod mid_call;
mod mid_insert;
mod retention;
mod sessions;
mod telemetry;
mod unmerged;

use tokio::sync::{Mutex, MutexGuard};

/// A fault is everybody's: one test at a time.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}
