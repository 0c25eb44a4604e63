-- The highest version of a customer's own rows in the CRM's log, deleted ones included: a change of
-- theirs raises it, nobody else's does.
SELECT toString(max(version))
FROM
(
    SELECT version FROM crm_customers_versions WHERE id = {customer:UUID}
    UNION ALL
    SELECT version FROM crm_assignments_versions WHERE customer_id = {customer:UUID}
    UNION ALL
    SELECT version
    FROM crm_prostheses_versions
    WHERE id IN
    (
        SELECT prosthesis_id FROM crm_assignments WHERE customer_id = {customer:UUID}
    )
    UNION ALL
    SELECT v.version
    FROM crm_service_visits_versions AS v
    INNER JOIN report_customer_wear(customer = {customer:UUID}) AS wear
        ON wear.prosthesis_id = v.prosthesis_id
    WHERE v.visited_at >= wear.worn_from AND v.visited_at < wear.worn_until
)
