-- The days, up to today, of which devices have sent readings since they were loaded, or which were
-- never loaded.
SELECT arrived.day AS day
FROM (SELECT day, max(written_at) AS until FROM telemetry_arrivals GROUP BY day) AS arrived
LEFT JOIN
(
    SELECT day, argMax(arrivals_until, written_at) AS until FROM telemetry_watermarks GROUP BY day
) AS loaded ON arrived.day = loaded.day
WHERE arrived.until > loaded.until AND arrived.day <= toDate(now('UTC'))
ORDER BY day
