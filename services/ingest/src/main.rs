//! Telemetry in, and the daily load into the datamart.

fn main() {}
