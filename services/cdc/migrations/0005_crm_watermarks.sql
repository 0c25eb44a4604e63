-- Changes acknowledged in the CRM before `time` are in ClickHouse. Written after the data that it
-- covers; the highest position of a source holds.
CREATE TABLE IF NOT EXISTS crm_watermarks
(
    source   LowCardinality(String),
    position UInt64,
    time     DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(position)
ORDER BY source;
