-- What became of the readings of a day: those that this run has loaded from the telemetry database,
-- and those that devices sent.
SELECT readings.loaded, readings.repeated, readings.sent, readings.unassigned, mart.staged, mart.mart_rows
FROM
(
    SELECT
        countIf(reading.source = 'database') AS loaded,
        countIf(reading.is_repeated) AS repeated,
        countIf(reading.source = 'device') AS sent,
        countIf(NOT reading.is_repeated AND (NOT worn.known OR reading.recorded_at >= worn.worn_until))
            AS unassigned
    FROM
    (
        SELECT prosthesis_id, recorded_at, source, id IN (SELECT id FROM ?) AS is_repeated
        FROM telemetry_readings
        WHERE toDate(recorded_at) = {day:Date} AND source = 'database' AND run_id = {run:UUID}
        UNION ALL
        SELECT prosthesis_id, recorded_at, source, 0 AS is_repeated
        FROM ?
    ) AS reading
    ASOF LEFT JOIN (SELECT prosthesis_id, worn_from, worn_until, true AS known FROM report_wear) AS worn
        ON reading.prosthesis_id = worn.prosthesis_id AND reading.recorded_at >= worn.worn_from
) AS readings
CROSS JOIN
(
    SELECT sum(readings) AS staged, countIf(readings > 0) AS mart_rows
    FROM ?
) AS mart
