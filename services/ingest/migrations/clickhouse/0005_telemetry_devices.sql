-- Readings that devices sent by themselves lie beside those of the telemetry database, and neither
-- ever replaces the other: `source` is part of the key. Of a device's readings each arrival is a
-- row of its own, by the microsecond in which it was received (0 for the database's), so that the
-- first one can hold; the same message that is read again replaces itself.
ALTER TABLE telemetry_readings
    ADD COLUMN IF NOT EXISTS source Enum8('database' = 0, 'device' = 1) AFTER run_id,
    ADD COLUMN IF NOT EXISTS arrived_us UInt64 AFTER source,
    MODIFY ORDER BY (prosthesis_id, recorded_at, id, source, arrived_us);

-- When readings of a day last came from devices. Written after the readings.
CREATE TABLE IF NOT EXISTS telemetry_arrivals
(
    day        Date,
    written_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY day;

-- Up to which arrival a day had the devices' readings when it was last loaded.
ALTER TABLE telemetry_watermarks
    ADD COLUMN IF NOT EXISTS arrivals_until DateTime64(6, 'UTC') AFTER crm_watermark;

-- Messages of the topic that are no readings. A message is one row, however often it is read again.
CREATE TABLE IF NOT EXISTS telemetry_dead_letters
(
    topic     LowCardinality(String),
    partition Int32,
    offset    Int64,
    key       String,
    value     String,
    reason    String,
    failed_at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(failed_at)
ORDER BY (topic, partition, offset)
SETTINGS non_replicated_deduplication_window = 1000;
