-- The readings of a day that devices sent and that count: of each id the one that was received
-- first, unless the telemetry database had received it before. They are kept aside for the run, so
-- that everything that is built and counted sees the same ones while others arrive.
INSERT INTO ?
WITH arrived AS
(
    SELECT *
    FROM telemetry_readings
    WHERE toDate(recorded_at) = {day:Date} AND source = 'device'
    ORDER BY received_at, prosthesis_id, recorded_at
    LIMIT 1 BY id
)
SELECT arrived.*
FROM arrived
LEFT ANY JOIN
(
    SELECT id, received_at, true AS known
    FROM telemetry_readings
    WHERE toDate(recorded_at) = {day:Date}
        AND source = 'database'
        AND run_id = {run:UUID}
        AND id IN (SELECT id FROM arrived)
) AS loaded ON arrived.id = loaded.id
WHERE NOT loaded.known OR arrived.received_at <= loaded.received_at
