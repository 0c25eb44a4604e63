-- A day of readings in the order in which they were received, from as many prostheses as there are
-- wearers. Without an index: a whole day is read by a scan.
CREATE TABLE {schema}.readings (LIKE public.readings INCLUDING CONSTRAINTS) PARTITION BY RANGE (recorded_at);
CREATE UNLOGGED TABLE {schema}.readings_day PARTITION OF {schema}.readings
    FOR VALUES FROM ('{day} 00:00:00Z') TO (timestamptz '{day} 00:00:00Z' + interval '1 day');
INSERT INTO {schema}.readings
SELECT
    md5('reading ' || number)::uuid,
    lpad(to_hex(number % {wearers}), 32, '0')::uuid,
    recorded_at,
    recorded_at + interval '250 milliseconds',
    (ARRAY['power', 'pinch', 'tripod', 'point', 'hook', 'rest'])[1 + number % 6],
    500 + number % 3000,
    100 + number % 200,
    2000 + number % 9000,
    100 - number % 90,
    60 + number % 40,
    CASE WHEN number % 500 = 0 THEN 'E' || 10 + number % 7 END
FROM
(
    SELECT number, timestamptz '{day} 00:00:00Z' + number * (interval '1 day' / {readings}) AS recorded_at
    FROM generate_series(0, {readings} - 1) AS number
) AS made;
GRANT USAGE ON SCHEMA {schema} TO "{reader}";
GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO "{reader}";
ANALYZE {schema}.readings_day
