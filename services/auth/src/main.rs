//! Sign-in and sessions.

fn main() {}
