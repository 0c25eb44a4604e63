-- A row of the datamart is a stretch of wear on a day: from worn_from until just before worn_until,
-- both within the day. A stretch without readings has a row with zeros, so that the mart says what
-- it was built from. Rows from before this have a stretch that no prosthesis has: nobody is shown
-- them, and their days are loaded again.
ALTER TABLE report_daily
    ADD COLUMN IF NOT EXISTS worn_from DateTime64(6, 'UTC') AFTER prosthesis_id,
    ADD COLUMN IF NOT EXISTS worn_until DateTime64(6, 'UTC') AFTER worn_from;

-- Up to when the CRM was known when a day was built.
ALTER TABLE telemetry_watermarks
    ADD COLUMN IF NOT EXISTS crm_watermark DateTime64(6, 'UTC') AFTER complete_until;

-- Who wore a prosthesis, and when: from worn_from until just before worn_until. Stretches of one
-- prosthesis never overlap: of assignments that overlap by mistake, or because only a part of a
-- hand-over has arrived, the later one counts, so that a reading is never two people's. The
-- columns are written out so that the view can be made before cdc's.
CREATE VIEW IF NOT EXISTS report_wear
(
    prosthesis_id UUID,
    customer_id   UUID,
    worn_from     DateTime64(6, 'UTC'),
    worn_until    DateTime64(6, 'UTC')
)
AS SELECT prosthesis_id, customer_id, worn_from, worn_until
FROM
(
    SELECT
        prosthesis_id,
        customer_id,
        valid_from AS worn_from,
        least(
            ifNull(valid_to, toDateTime64('2149-01-01 00:00:00', 6, 'UTC')),
            leadInFrame(valid_from, 1, toDateTime64('2149-01-01 00:00:00', 6, 'UTC')) OVER
            (
                PARTITION BY prosthesis_id
                ORDER BY valid_from, id
                ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
            )
        ) AS worn_until
    FROM crm_assignments
)
WHERE worn_from < worn_until;

-- The rows of the datamart that are a customer's and have readings: those whose stretch is one that
-- the CRM gives the customer now. Whoever shows readings reads them here and nowhere else. The
-- prostheses are looked up first so that only their stretches are made.
CREATE VIEW IF NOT EXISTS report_current AS
SELECT mart.*
FROM report_daily AS mart
INNER JOIN
(
    SELECT prosthesis_id, worn_from, worn_until
    FROM report_wear
    WHERE customer_id = {customer:UUID}
        AND prosthesis_id IN
        (
            SELECT prosthesis_id FROM crm_assignments WHERE customer_id = {customer:UUID}
        )
) AS wear ON wear.prosthesis_id = mart.prosthesis_id
WHERE mart.customer_id = {customer:UUID}
    AND mart.readings > 0
    AND mart.worn_from = greatest(wear.worn_from, toDateTime64(mart.day, 6, 'UTC'))
    AND mart.worn_until = least(wear.worn_until, toDateTime64(mart.day + 1, 6, 'UTC'));
