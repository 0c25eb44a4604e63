//! End-to-end, fault and security suites.
