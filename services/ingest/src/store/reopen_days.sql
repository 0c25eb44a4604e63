-- Records runs over days that have changed, the newest first, as many as there is room for; the days
-- come with the ids of their runs and of their requests. No run comes over a day that an unfinished
-- run covers, and for a while none after one that was started here: after one that failed a minute,
-- twice as long after each further failure of the day, an hour at most; after one
-- that succeeded five seconds. Where the day rests that is five seconds for each run of the last
-- hour, two minutes at most, and ten times as long as one took.
INSERT INTO etl_runs (run_id, request_id, start_day, end_day, reopened)
SELECT changed.run_id, changed.request_id, changed.day, changed.day, true
FROM unnest($1::uuid[], $2::uuid[], $3::date[]) AS changed (run_id, request_id, day)
WHERE NOT EXISTS (
        SELECT FROM etl_runs
        WHERE state IN ('PENDING', 'RUNNING')
            AND daterange(start_day, end_day, '[]') && daterange(changed.day, changed.day, '[]')
    )
    AND NOT EXISTS (
        SELECT FROM etl_runs
        WHERE reopened AND state IN ('FAILED', 'ABANDONED')
            AND start_day = changed.day AND finished_at > now() - interval '1 day'
        HAVING max(finished_at)
            > now() - least(interval '1 minute' * power(2, count(*) - 1), interval '1 hour')
    )
    AND NOT EXISTS (
        SELECT FROM etl_runs
        WHERE reopened AND state = 'SUCCEEDED'
            AND start_day = changed.day AND finished_at > now() - interval '1 hour'
        HAVING max(finished_at) > now() - CASE WHEN $4::boolean
            THEN greatest(
                least(interval '5 seconds' * count(*), interval '2 minutes'),
                10 * max(finished_at - started_at))
            ELSE interval '5 seconds'
        END
    )
ORDER BY changed.day DESC
LIMIT greatest($5::bigint - (SELECT count(*) FROM etl_runs WHERE reopened AND state = 'PENDING'), 0)
ON CONFLICT DO NOTHING
RETURNING run_id, start_day
