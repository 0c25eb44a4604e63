//! Benchmarks against baselines.
