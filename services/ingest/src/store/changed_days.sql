-- The loaded days whose stretches of wear are others now than those in the mart. Two sets are
-- equal when the hashes of all their members cancel each other out.
SELECT day
FROM
(
    SELECT
        loaded.day AS day,
        cityHash64(
            wear.customer_id,
            wear.prosthesis_id,
            greatest(wear.worn_from, toDateTime64(loaded.day, 6, 'UTC')),
            least(wear.worn_until, toDateTime64(loaded.day + 1, 6, 'UTC'))
        ) AS stretch
    FROM (SELECT DISTINCT day FROM telemetry_watermarks) AS loaded
    CROSS JOIN report_wear AS wear
    WHERE wear.worn_from < toDateTime64(loaded.day + 1, 6, 'UTC')
        AND wear.worn_until > toDateTime64(loaded.day, 6, 'UTC')
    UNION ALL
    SELECT day, cityHash64(customer_id, prosthesis_id, worn_from, worn_until)
    FROM report_daily
    WHERE day IN (SELECT day FROM telemetry_watermarks)
)
GROUP BY day
HAVING groupBitXor(stretch) != 0
ORDER BY day
