-- The readings of a day that the telemetry database had when it was last loaded, without those that
-- this run has loaded: the newest row of each. A row that only an earlier run had loaded was gone
-- from the source by the last one: it stays gone. Runs of one day never overlap and their ids are
-- UUIDv7, which texts put into their order (ClickHouse's own order of UUIDs does not).
SELECT
    id, prosthesis_id, recorded_at, received_at, grip, duration_ms, response_ms, force_mn,
    battery_pct, emg_quality_pct, fault_code, {run:UUID}
FROM telemetry_readings FINAL
WHERE toDate(recorded_at) = {day:Date}
    AND source = 'database'
    AND run_id != {run:UUID}
    AND toString(run_id) >=
    (
        SELECT toString(argMax(run_id, written_at)) FROM telemetry_watermarks WHERE day = {day:Date}
    )
