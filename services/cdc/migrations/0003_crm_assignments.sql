CREATE TABLE IF NOT EXISTS crm_assignments_versions
(
    id            UUID,
    prosthesis_id UUID,
    customer_id   UUID,
    valid_from    DateTime64(6, 'UTC'),
    valid_to      Nullable(DateTime64(6, 'UTC')),
    version       UInt128,
    is_deleted    UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY cityHash64(id) % 8
ORDER BY id
SETTINGS non_replicated_deduplication_window = 1000;

CREATE VIEW IF NOT EXISTS crm_assignments AS
SELECT id, prosthesis_id, customer_id, valid_from, valid_to
FROM crm_assignments_versions FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
