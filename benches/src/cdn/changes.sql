-- Five changes of people in the CRM, and five late readings of their prostheses of a day that the
-- file shows; none of them is the patient's. Statements end with a semicolon at the end of a line.
INSERT INTO {database}.crm_customers_versions
    (id, full_name, email, phone, country, locale, time_zone, status, created_at, updated_at, version, is_deleted)
SELECT
    toUUID(concat('10000000-0000-0000-0000-', lower(leftPad(hex(1 + ({number} + number) % 199), 12, '0')))),
    'Somebody', 'bench@example.org', toString({number}), 'GB', 'en-GB', 'Europe/London',
    'active', '2022-12-01 00:00:00', '2022-12-01 00:00:00', {number}, 0
FROM numbers(5);
INSERT INTO {database}.telemetry_readings (
    id, prosthesis_id, recorded_at, received_at, grip, duration_ms, response_ms, force_mn,
    battery_pct, emg_quality_pct, fault_code, source, arrived_us
)
SELECT
    generateUUIDv7(number),
    toUUID(concat('20000000-0000-0000-0000-', lower(leftPad(hex(1 + ({number} + number) % 199), 12, '0')))),
    '{day} 12:00:00', now64(6), 'power', 900, 180, 12000, 80, 90, '', 'device', toUnixTimestamp64Micro(now64(6))
FROM numbers(5);
INSERT INTO {database}.telemetry_arrivals (day) VALUES ('{day}')
