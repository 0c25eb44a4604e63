SELECT p.id AS id, p.serial_number, p.model, p.side, p.firmware, a.valid_from, a.valid_to
FROM crm_assignments AS a
INNER JOIN crm_prostheses AS p ON p.id = a.prosthesis_id
WHERE a.customer_id = {customer:UUID}
    AND a.valid_from < {until:DateTime64(6, 'UTC')}
    AND (a.valid_to IS NULL OR a.valid_to > {since:DateTime64(6, 'UTC')})
ORDER BY a.valid_from, p.serial_number
