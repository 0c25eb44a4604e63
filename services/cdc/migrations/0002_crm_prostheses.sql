CREATE TABLE IF NOT EXISTS crm_prostheses_versions
(
    id              UUID,
    serial_number   String,
    model           LowCardinality(String),
    side            LowCardinality(String),
    firmware        LowCardinality(String),
    manufactured_on Date32,
    version         UInt128,
    is_deleted      UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY cityHash64(id) % 8
ORDER BY id
SETTINGS non_replicated_deduplication_window = 1000;

CREATE VIEW IF NOT EXISTS crm_prostheses AS
SELECT id, serial_number, model, side, firmware, manufactured_on
FROM crm_prostheses_versions FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
