SELECT v.prosthesis_id, v.visited_at, v.kind
FROM crm_service_visits AS v
INNER JOIN crm_assignments AS a ON a.prosthesis_id = v.prosthesis_id
WHERE a.customer_id = {customer:UUID}
    AND v.visited_at >= {since:DateTime64(6, 'UTC')}
    AND v.visited_at < {until:DateTime64(6, 'UTC')}
    AND v.visited_at >= a.valid_from
    AND (a.valid_to IS NULL OR v.visited_at < a.valid_to)
ORDER BY v.visited_at DESC, v.id
