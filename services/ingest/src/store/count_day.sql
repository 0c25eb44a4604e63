-- What became of the readings that this run has loaded for a day.
SELECT source.loaded, source.unassigned, mart.staged, mart.mart_rows
FROM
(
    SELECT
        count() AS loaded,
        countIf(NOT worn.known OR reading.recorded_at >= worn.valid_to) AS unassigned
    FROM telemetry_readings AS reading
    ASOF LEFT JOIN (SELECT prosthesis_id, valid_from, valid_to, true AS known FROM crm_assignments) AS worn
        ON reading.prosthesis_id = worn.prosthesis_id AND reading.recorded_at >= worn.valid_from
    WHERE toDate(reading.recorded_at) = {day:Date} AND reading.run_id = {run:UUID}
) AS source
CROSS JOIN
(
    SELECT sum(readings) AS staged, count() AS mart_rows
    FROM ?
) AS mart
