//! The browser's only door.

fn main() {}
