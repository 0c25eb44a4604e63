//! Readings on their way into the reports: how they come in, and how days are loaded.

mod arrivals;
mod daily_load;
mod runs;
mod telemetry;
