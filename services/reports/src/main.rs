//! Reports on prostheses.

fn main() {}
