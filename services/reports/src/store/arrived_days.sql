-- Of these days, those of which more readings of the customer's are here than the datamart counts.
-- One that its source has taken back is here, too: a day may be named that lacks nothing.
SELECT here.day AS day
FROM
(
    SELECT toDate(reading.recorded_at) AS day, uniqExact(reading.id) AS readings
    FROM telemetry_readings AS reading
    INNER JOIN report_customer_wear(customer = {customer:UUID}) AS wear
        ON wear.prosthesis_id = reading.prosthesis_id
    WHERE toDate(reading.recorded_at) IN {days:Array(Date)}
        AND reading.prosthesis_id IN
        (
            SELECT prosthesis_id FROM crm_assignments WHERE customer_id = {customer:UUID}
        )
        AND reading.recorded_at >= wear.worn_from
        AND reading.recorded_at < wear.worn_until
    GROUP BY day
) AS here
LEFT JOIN
(
    SELECT day, sum(readings) AS readings
    FROM report_current(customer = {customer:UUID})
    WHERE day IN {days:Array(Date)}
    GROUP BY day
) AS counted ON counted.day = here.day
WHERE here.readings > counted.readings
