-- A customer's numbers by day and in all, for a period and the one before, in one scan.
-- is_current is the key of the sets that are in all and says nothing of a day: as a function of
-- the day it would be dropped from a set that has both, and come out false.
SELECT
    toBool(day >= {first:Date}) AS is_current,
    toBool(grouping(day) = 0) AS is_day,
    day,
    TOTALS AS totals,
    sumMap(grip_readings) AS grips_by_readings,
    sumMap(grip_use_ms) AS grips_by_use,
    sumMap(fault_readings) AS faults_by_code
FROM report_current(customer = {customer:UUID})
WHERE day BETWEEN {previous:Date} AND {last:Date}
GROUP BY GROUPING SETS ((day), (is_current))
ORDER BY day
