//! CRM changes from Kafka into ClickHouse.

fn main() {}
