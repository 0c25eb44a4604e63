-- The numbers of a customer's periods that have readings, newest first.
SELECT
    ? AS starts,
    toUInt32(uniqExact(day)) AS days_active,
    sum(readings) AS readings_all,
    sum(use_ms) AS use_all,
    sum(faults) AS faults_all,
    sum(response_ms_sum) AS response_sum,
    quantileExactWeightedMerge(0.95)(response_ms_p95) AS response_p95,
    sum(force_mn_sum) AS force_sum,
    sum(emg_quality_pct_sum) AS emg_quality_sum,
    min(battery_pct_min) AS battery_min
FROM report_current(customer = {customer:UUID})
WHERE day < {before:Date}
GROUP BY starts
ORDER BY starts DESC
LIMIT {most:UInt64}
