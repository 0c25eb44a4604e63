-- A customer's numbers by day and in all, for a period and the one before, in one scan.
-- is_current is the key of the sets that are in all and says nothing of a day: as a function of
-- the day it would be dropped from a set that has both, and come out false.
-- The names must differ from the columns': a name used in another aggregate is replaced by it.
SELECT
    toBool(day >= {first:Date}) AS is_current,
    toBool(grouping(day) = 0) AS is_day,
    day,
    toUInt32(uniqExact(day)) AS days_active,
    sum(readings) AS readings_all,
    sum(use_ms) AS use_all,
    sum(faults) AS faults_all,
    sum(response_ms_sum) AS response_sum,
    quantileExactWeightedMerge(0.95)(response_ms_p95) AS response_p95,
    sum(force_mn_sum) AS force_sum,
    sum(emg_quality_pct_sum) AS emg_quality_sum,
    min(battery_pct_min) AS battery_min,
    sumMap(grip_readings) AS grips_by_readings,
    sumMap(grip_use_ms) AS grips_by_use,
    sumMap(fault_readings) AS faults_by_code
FROM report_current(customer = {customer:UUID})
WHERE day BETWEEN {previous:Date} AND {last:Date}
GROUP BY GROUPING SETS ((day), (is_current))
ORDER BY day
