-- What a customer wears and wore: the stretches that the CRM gives the customer now. The prostheses
-- are looked up first so that only their stretches are made. report_current has the same ones, and
-- not from here: ClickHouse looks for a view with a parameter in the database of whoever asks, not in
-- that of the view that names it.
CREATE VIEW IF NOT EXISTS report_customer_wear AS
SELECT prosthesis_id, worn_from, worn_until
FROM report_wear
WHERE customer_id = {customer:UUID}
    AND prosthesis_id IN
    (
        SELECT prosthesis_id FROM crm_assignments WHERE customer_id = {customer:UUID}
    );
