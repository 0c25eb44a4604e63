-- Messages that could not be applied. A message is one row, however often it is read again.
CREATE TABLE IF NOT EXISTS cdc_dead_letters
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
