-- The numbers of a customer's periods that have readings, newest first.
SELECT PERIOD AS starts, TOTALS AS totals
FROM report_current(customer = {customer:UUID})
WHERE day < {before:Date}
GROUP BY starts
ORDER BY starts DESC
LIMIT {most:UInt64}
