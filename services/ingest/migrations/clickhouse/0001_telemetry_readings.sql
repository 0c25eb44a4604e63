-- The readings as the source has them. A reading that is loaded again replaces itself; run_id
-- names the run that loaded it last. The window keeps the tokens of retried inserts.
CREATE TABLE IF NOT EXISTS telemetry_readings
(
    id              UUID,
    prosthesis_id   UUID,
    recorded_at     DateTime64(6, 'UTC') CODEC(Delta, LZ4),
    received_at     DateTime64(6, 'UTC') CODEC(Delta, LZ4),
    grip            LowCardinality(String),
    duration_ms     UInt32,
    response_ms     UInt32,
    force_mn        UInt32,
    battery_pct     UInt8,
    emg_quality_pct UInt8,
    fault_code      LowCardinality(String) COMMENT 'Empty: no fault',
    run_id          UUID
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(recorded_at)
ORDER BY (prosthesis_id, recorded_at, id)
SETTINGS non_replicated_deduplication_window = 10000;
