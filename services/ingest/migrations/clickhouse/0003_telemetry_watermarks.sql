-- Up to when the readings of a day were complete when it was last loaded. Written after the data.
CREATE TABLE IF NOT EXISTS telemetry_watermarks
(
    day            Date,
    complete_until DateTime64(6, 'UTC'),
    run_id         UUID,
    written_at     DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY day;
