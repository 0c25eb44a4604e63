-- A datamart of some people, each with one prosthesis, {days} days from 2023 on; the first of them is
-- the patient. Statements end with a semicolon at the end of a line.
INSERT INTO {database}.crm_customers_versions
    (id, full_name, email, phone, country, locale, time_zone, status, created_at, updated_at, version, is_deleted)
VALUES ('{customer}', 'Anna Bench', 'bench@example.org', '+440000', 'GB', 'en-GB', 'Europe/London',
    'active', '2022-12-01 00:00:00', '2022-12-01 00:00:00', 1, 0);
INSERT INTO {database}.crm_prostheses_versions
    (id, serial_number, model, side, firmware, manufactured_on, version, is_deleted)
SELECT
    toUUID(concat('20000000-0000-0000-0000-', lower(leftPad(hex(number), 12, '0')))),
    concat('BENCH-', toString(number)), 'Bench hand', 'left', '1.0.0', toDate32('2022-11-01'), 1, 0
FROM numbers({customers});
INSERT INTO {database}.crm_assignments_versions
    (id, prosthesis_id, customer_id, valid_from, valid_to, version, is_deleted)
SELECT
    generateUUIDv4(),
    toUUID(concat('20000000-0000-0000-0000-', lower(leftPad(hex(number), 12, '0')))),
    if(number = 0, toUUID('{customer}'),
        toUUID(concat('10000000-0000-0000-0000-', lower(leftPad(hex(number), 12, '0'))))),
    toDateTime64('2022-12-01 00:00:00', 6, 'UTC'), NULL, 1, 0
FROM numbers({customers});
INSERT INTO {database}.crm_watermarks VALUES ('bench', 1, '2100-01-01 00:00:00');
INSERT INTO {database}.telemetry_watermarks
    (day, complete_until, crm_watermark, arrivals_until, run_id, written_at)
SELECT
    toDate('2023-01-01') + number AS day,
    toDateTime64(day + 1, 6, 'UTC'), toDateTime64('2026-06-01 00:00:00', 6, 'UTC'),
    toDateTime64(0, 6, 'UTC'), generateUUIDv4(), toDateTime64('2026-06-01 00:00:00', 6, 'UTC')
FROM numbers({days});
INSERT INTO {database}.report_daily (
    customer_id, day, prosthesis_id, worn_from, worn_until, readings, use_ms, response_ms_sum,
    response_ms_p95, force_mn_sum, emg_quality_pct_sum, battery_pct_min, faults, grip_readings,
    grip_use_ms, fault_readings, run_id
)
SETTINGS max_partitions_per_insert_block = 0
SELECT
    if(person = 0, toUUID('{customer}'),
        toUUID(concat('10000000-0000-0000-0000-', lower(leftPad(hex(person), 12, '0'))))),
    day,
    toUUID(concat('20000000-0000-0000-0000-', lower(leftPad(hex(person), 12, '0')))),
    toDateTime64(day, 6, 'UTC'), toDateTime64(day + 1, 6, 'UTC'),
    count(), sum(duration_ms), sum(response_ms),
    quantileExactWeightedState(0.95)(response_ms, toUInt8(1)),
    sum(2000 + duration_ms), sum(60 + number % 40), min(10 + number % 90), countIf(fault != ''),
    sumMap(map(grip, toUInt64(1))), sumMap(map(grip, duration_ms)),
    sumMapIf(map(fault, toUInt64(1)), fault != ''),
    toUUID('30000000-0000-0000-0000-000000000000')
FROM
(
    SELECT
        number,
        intDiv(number, 8) % {customers} AS person,
        toDate('2023-01-01') + intDiv(number, 8 * {customers}) AS day,
        500 + cityHash64(number) % 3000 AS duration_ms,
        toUInt32(100 + cityHash64(number, 1) % 200) AS response_ms,
        toLowCardinality(['power', 'pinch', 'tripod', 'point', 'hook', 'rest'][1 + cityHash64(number, 2) % 6]) AS grip,
        toLowCardinality(if(cityHash64(number, 3) % 40 = 0, 'E17', '')) AS fault
    FROM numbers({days} * {customers} * 8)
)
GROUP BY person, day
