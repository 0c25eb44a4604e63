WITH JSONExtract(message, 'Tuple(
    before Tuple(id UUID),
    after Tuple(id UUID, full_name String, email String, phone String, country String,
                locale String, time_zone String, status String, created_at String, updated_at String),
    source Tuple(lsn UInt64, sequence String),
    op String)') AS change
SELECT
    if(change.op = 'd', change.before.id, change.after.id) AS id,
    change.after.full_name AS full_name,
    change.after.email AS email,
    change.after.phone AS phone,
    change.after.country AS country,
    change.after.locale AS locale,
    change.after.time_zone AS time_zone,
    change.after.status AS status,
    parseDateTime64BestEffortOrZero(change.after.created_at, 6, 'UTC') AS created_at,
    parseDateTime64BestEffortOrZero(change.after.updated_at, 6, 'UTC') AS updated_at,
    bitOr(
        bitShiftLeft(toUInt128(greatest(change.source.lsn, toUInt64OrZero(JSONExtractString(change.source.sequence, 1)))), 64),
        toUInt128(_offset)
    ) AS version,
    change.op = 'd' AS is_deleted
FROM {database}.engine_queue
