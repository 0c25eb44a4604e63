-- The mart of one day from the readings that this run has loaded. A reading belongs to whoever
-- wore the prosthesis when it was recorded. Of assignments that overlap by mistake the later one
-- counts, so that a reading is never two people's. No FINAL: a run loads a reading once, and the
-- check before the swap counts.
INSERT INTO ?
SELECT
    worn.customer_id,
    {day:Date},
    reading.prosthesis_id,
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
    sumMapIf(map(reading.fault_code, toUInt64(1)), reading.fault_code != ''),
    {run:UUID}
FROM telemetry_readings AS reading
ASOF INNER JOIN crm_assignments AS worn
    ON reading.prosthesis_id = worn.prosthesis_id AND reading.recorded_at >= worn.valid_from
WHERE toDate(reading.recorded_at) = {day:Date}
    AND reading.run_id = {run:UUID}
    AND (worn.valid_to IS NULL OR reading.recorded_at < worn.valid_to)
GROUP BY worn.customer_id, reading.prosthesis_id
