SELECT v.prosthesis_id, v.visited_at, v.kind
FROM crm_service_visits AS v
INNER JOIN report_customer_wear(customer = {customer:UUID}) AS wear
    ON wear.prosthesis_id = v.prosthesis_id
WHERE v.visited_at >= {since:DateTime64(6, 'UTC')}
    AND v.visited_at < {until:DateTime64(6, 'UTC')}
    AND v.visited_at >= wear.worn_from
    AND v.visited_at < wear.worn_until
ORDER BY v.visited_at DESC, v.id
