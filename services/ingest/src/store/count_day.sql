-- What became of the readings that this run has loaded for a day.
SELECT source.loaded, source.unassigned, mart.staged, mart.mart_rows
FROM
(
    SELECT
        count() AS loaded,
        countIf(NOT worn.known OR reading.recorded_at >= worn.worn_until) AS unassigned
    FROM telemetry_readings AS reading
    ASOF LEFT JOIN (SELECT prosthesis_id, worn_from, worn_until, true AS known FROM report_wear) AS worn
        ON reading.prosthesis_id = worn.prosthesis_id AND reading.recorded_at >= worn.worn_from
    WHERE toDate(reading.recorded_at) = {day:Date} AND reading.run_id = {run:UUID}
) AS source
CROSS JOIN
(
    SELECT sum(readings) AS staged, countIf(readings > 0) AS mart_rows
    FROM ?
) AS mart
