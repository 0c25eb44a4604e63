-- The datamart: a customer's use of a prosthesis on a day (UTC). Additive numbers and mergeable
-- states only, so that any period is a sum of days. A customer's year touches 365 partitions:
-- small granules keep what is read for one customer small.
CREATE TABLE IF NOT EXISTS report_daily
(
    customer_id         UUID,
    day                 Date,
    prosthesis_id       UUID,
    readings            UInt64,
    use_ms              UInt64,
    response_ms_sum     UInt64,
    response_ms_p95     AggregateFunction(quantileExactWeighted(0.95), UInt32, UInt8),
    force_mn_sum        UInt64,
    emg_quality_pct_sum UInt64,
    battery_pct_min     UInt8,
    faults              UInt64,
    grip_readings       Map(LowCardinality(String), UInt64),
    grip_use_ms         Map(LowCardinality(String), UInt64),
    fault_readings      Map(LowCardinality(String), UInt64),
    run_id              UUID
)
ENGINE = MergeTree
PARTITION BY day
ORDER BY (customer_id, day, prosthesis_id)
SETTINGS index_granularity = 256;
