-- Every version of a customer that is still known; merges keep the highest. The version is
-- (position in the CRM's log << 64) | Kafka offset, never a clock.
CREATE TABLE IF NOT EXISTS crm_customers_versions
(
    id         UUID,
    full_name  String,
    email      String,
    phone      String,
    country    LowCardinality(String),
    locale     LowCardinality(String),
    time_zone  LowCardinality(String),
    status     LowCardinality(String),
    created_at DateTime64(6, 'UTC'),
    updated_at DateTime64(6, 'UTC'),
    version    UInt128,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY cityHash64(id) % 8
ORDER BY id
SETTINGS non_replicated_deduplication_window = 1000;

-- A key lives in one partition, so the partitions need not be merged with each other.
CREATE VIEW IF NOT EXISTS crm_customers AS
SELECT id, full_name, email, phone, country, locale, time_zone, status, created_at, updated_at
FROM crm_customers_versions FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;
