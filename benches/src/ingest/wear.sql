-- Who wears the prostheses of fill.sql: one each, and every other one somebody else from noon on.
INSERT INTO {database}.crm_assignments_versions
    (id, prosthesis_id, customer_id, valid_from, valid_to, version, is_deleted)
SELECT
    generateUUIDv4(),
    toUUID(concat('00000000-0000-0000-0000-', lower(leftPad(hex(number), 12, '0')))),
    generateUUIDv4(number),
    toDateTime64('2026-01-01 00:00:00', 6, 'UTC'),
    if(number % 2 = 1, toDateTime64('2026-11-02 12:00:00', 6, 'UTC'), NULL),
    1,
    0
FROM numbers({wearers})
UNION ALL
SELECT
    generateUUIDv4(),
    toUUID(concat('00000000-0000-0000-0000-', lower(leftPad(hex(number), 12, '0')))),
    generateUUIDv4(number),
    toDateTime64('2026-11-02 12:00:00', 6, 'UTC'),
    NULL,
    1,
    0
FROM numbers({wearers})
WHERE number % 2 = 1
