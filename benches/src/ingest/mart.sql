-- The day's mart as somebody writes it who has nothing but the readings: no run, no check, no swap,
-- no reading that came twice, no stretch without readings.
INSERT INTO {database}.plain_daily (
    customer_id, day, prosthesis_id, worn_from, worn_until, readings, use_ms, response_ms_sum,
    response_ms_p95, force_mn_sum, emg_quality_pct_sum, battery_pct_min, faults, grip_readings,
    grip_use_ms, fault_readings
)
SELECT
    worn.customer_id,
    toDate(reading.recorded_at) AS day,
    worn.prosthesis_id,
    greatest(worn.worn_from, toDateTime64(day, 6, 'UTC')) AS since,
    least(worn.worn_until, toDateTime64(day + 1, 6, 'UTC')) AS until,
    count(),
    sum(reading.duration_ms),
    sum(reading.response_ms),
    quantileExactWeightedState(0.95)(reading.response_ms, toUInt8(1)),
    sum(reading.force_mn),
    sum(reading.emg_quality_pct),
    min(reading.battery_pct),
    countIf(reading.fault_code != ''),
    sumMap(map(reading.grip, toUInt64(1))),
    sumMap(map(reading.grip, toUInt64(reading.duration_ms))),
    sumMapIf(map(reading.fault_code, toUInt64(1)), reading.fault_code != '')
FROM {database}.plain_readings AS reading
ASOF INNER JOIN {database}.report_wear AS worn
    ON reading.prosthesis_id = worn.prosthesis_id AND reading.recorded_at >= worn.worn_from
WHERE reading.recorded_at < worn.worn_until
GROUP BY worn.customer_id, day, worn.prosthesis_id, since, until
