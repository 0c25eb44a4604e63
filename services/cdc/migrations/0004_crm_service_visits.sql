CREATE TABLE IF NOT EXISTS crm_service_visits_versions
(
    id            UUID,
    prosthesis_id UUID,
    visited_at    DateTime64(6, 'UTC'),
    kind          LowCardinality(String),
    notes         String,
    cost          Decimal(12, 2),
    version       UInt128,
    is_deleted    UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY cityHash64(id) % 8
ORDER BY id
SETTINGS non_replicated_deduplication_window = 1000;

CREATE VIEW IF NOT EXISTS crm_service_visits AS
SELECT id, prosthesis_id, visited_at, kind, notes, cost
FROM crm_service_visits_versions FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
