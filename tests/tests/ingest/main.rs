//! Readings on their way into the reports: how they come in, and how days are loaded.

mod arrivals;
mod daily_load;
mod runs;
mod telemetry;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The stack has one ingest service: while some tests call it, none stops it.
static SERVICE: RwLock<()> = RwLock::const_new(());

/// Held by a test that calls the service.
async fn in_use() -> RwLockReadGuard<'static, ()> {
    SERVICE.read().await
}

/// Held by a test that stops the service, or starts what others must not meet.
async fn alone() -> RwLockWriteGuard<'static, ()> {
    SERVICE.write().await
}
