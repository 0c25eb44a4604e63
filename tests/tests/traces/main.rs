//! A trace goes through all processes: asserted edge by edge, as Jaeger shows it.

mod canary;
mod downloads;
mod edges;
mod journeys;
mod metrics;
