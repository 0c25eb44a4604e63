-- The loaded days on which a stretch of the customer's is not in the datamart as the CRM has it now,
-- and those that are over and of which devices have sent readings since: whose, arrived_days.sql
-- says. A day that is not over is not stated to be complete.
SELECT DISTINCT loaded.day AS day, false AS has_arrivals
FROM
(
    SELECT DISTINCT day FROM telemetry_watermarks WHERE day BETWEEN {first:Date} AND {last:Date}
) AS loaded
CROSS JOIN report_customer_wear(customer = {customer:UUID}) AS wear
WHERE wear.worn_from < toDateTime64(loaded.day + 1, 6, 'UTC')
    AND wear.worn_until > toDateTime64(loaded.day, 6, 'UTC')
    AND
    (
        loaded.day,
        wear.prosthesis_id,
        greatest(wear.worn_from, toDateTime64(loaded.day, 6, 'UTC')),
        least(wear.worn_until, toDateTime64(loaded.day + 1, 6, 'UTC'))
    ) NOT IN
    (
        SELECT day, prosthesis_id, worn_from, worn_until
        FROM report_daily
        WHERE customer_id = {customer:UUID} AND day BETWEEN {first:Date} AND {last:Date}
    )
UNION DISTINCT
SELECT arrived.day AS day, true AS has_arrivals
FROM
(
    SELECT day, max(written_at) AS until
    FROM telemetry_arrivals
    WHERE day BETWEEN {first:Date} AND {last:Date} AND day < toDate(now('UTC'))
    GROUP BY day
) AS arrived
INNER JOIN
(
    SELECT day, argMax(arrivals_until, written_at) AS until
    FROM telemetry_watermarks
    WHERE day BETWEEN {first:Date} AND {last:Date}
    GROUP BY day
) AS loaded ON arrived.day = loaded.day
WHERE arrived.until > loaded.until
