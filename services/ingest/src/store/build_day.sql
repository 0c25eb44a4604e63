-- The mart of one day from the readings that this run has loaded, and from those that devices sent
-- (see stage_devices.sql): a row for each stretch of wear, with or without readings. A reading
-- belongs to whoever wore the prosthesis when it was recorded; of one that came both ways the one
-- that was received first counts.
-- No FINAL: a run loads a reading once, and the check before the swap counts.
INSERT INTO ? (
    customer_id, day, prosthesis_id, worn_from, worn_until, readings, use_ms, response_ms_sum,
    response_ms_p95, force_mn_sum, emg_quality_pct_sum, battery_pct_min, faults, grip_readings,
    grip_use_ms, fault_readings, run_id
)
WITH
    toDateTime64({day:Date}, 6, 'UTC') AS day_begins,
    toDateTime64({day:Date} + 1, 6, 'UTC') AS day_ends,
    stretches AS
    (
        SELECT
            customer_id,
            prosthesis_id,
            greatest(worn_from, day_begins) AS since,
            least(worn_until, day_ends) AS until
        FROM report_wear
        WHERE worn_from < day_ends AND worn_until > day_begins
    ),
    used AS
    (
        SELECT
            worn.customer_id AS customer_id,
            worn.prosthesis_id AS prosthesis_id,
            worn.since AS since,
            worn.until AS until,
            count() AS readings,
            sum(reading.duration_ms) AS use_ms,
            sum(reading.response_ms) AS response_ms_sum,
            quantileExactWeightedState(0.95)(reading.response_ms, toUInt8(1)) AS response_ms_p95,
            sum(reading.force_mn) AS force_mn_sum,
            sum(reading.emg_quality_pct) AS emg_quality_pct_sum,
            min(reading.battery_pct) AS battery_pct_min,
            countIf(reading.fault_code != '') AS faults,
            sumMap(map(reading.grip, toUInt64(1))) AS grip_readings,
            sumMap(map(reading.grip, toUInt64(reading.duration_ms))) AS grip_use_ms,
            sumMapIf(map(reading.fault_code, toUInt64(1)), reading.fault_code != '') AS fault_readings
        FROM
        (
            SELECT
                prosthesis_id, recorded_at, duration_ms, response_ms, force_mn, emg_quality_pct,
                battery_pct, fault_code, grip
            FROM telemetry_readings
            WHERE toDate(recorded_at) = {day:Date}
                AND source = 'database'
                AND run_id = {run:UUID}
                AND id NOT IN (SELECT id FROM ?)
            UNION ALL
            SELECT
                prosthesis_id, recorded_at, duration_ms, response_ms, force_mn, emg_quality_pct,
                battery_pct, fault_code, grip
            FROM ?
        ) AS reading
        ASOF INNER JOIN stretches AS worn
            ON reading.prosthesis_id = worn.prosthesis_id AND reading.recorded_at >= worn.since
        WHERE reading.recorded_at < worn.until
        GROUP BY worn.customer_id, worn.prosthesis_id, worn.since, worn.until
    )
SELECT
    stretches.customer_id,
    {day:Date},
    stretches.prosthesis_id,
    stretches.since,
    stretches.until,
    used.readings,
    used.use_ms,
    used.response_ms_sum,
    used.response_ms_p95,
    used.force_mn_sum,
    used.emg_quality_pct_sum,
    used.battery_pct_min,
    used.faults,
    used.grip_readings,
    used.grip_use_ms,
    used.fault_readings,
    {run:UUID}
FROM stretches
LEFT JOIN used USING (customer_id, prosthesis_id, since, until)
