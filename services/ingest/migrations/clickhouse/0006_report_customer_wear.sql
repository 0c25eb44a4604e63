-- What a customer wears and wore: the stretches that the CRM gives the customer now. The prostheses
-- are looked up first so that only their stretches are made.
CREATE VIEW IF NOT EXISTS report_customer_wear AS
SELECT prosthesis_id, worn_from, worn_until
FROM report_wear
WHERE customer_id = {customer:UUID}
    AND prosthesis_id IN
    (
        SELECT prosthesis_id FROM crm_assignments WHERE customer_id = {customer:UUID}
    );

-- As before, by that view.
CREATE OR REPLACE VIEW report_current AS
SELECT mart.*
FROM report_daily AS mart
INNER JOIN report_customer_wear(customer = {customer:UUID}) AS wear
    ON wear.prosthesis_id = mart.prosthesis_id
WHERE mart.customer_id = {customer:UUID}
    AND mart.readings > 0
    AND mart.worn_from = greatest(wear.worn_from, toDateTime64(mart.day, 6, 'UTC'))
    AND mart.worn_until = least(wear.worn_until, toDateTime64(mart.day + 1, 6, 'UTC'));
