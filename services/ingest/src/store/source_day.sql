-- The source's clock, and whether it has a place for readings between two moments: a partition of
-- that range, one for everything else, or a table that is not partitioned. Bounds of a form that is
-- not known here count as a place.
SELECT
    now(),
    EXISTS (SELECT FROM pg_class WHERE oid = 'readings'::regclass AND relkind <> 'p')
    OR EXISTS (
        SELECT FROM pg_partition_tree('readings') AS tree
        JOIN pg_class AS partition ON partition.oid = tree.relid
        CROSS JOIN LATERAL regexp_match(
            pg_get_expr(partition.relpartbound, partition.oid),
            $$^FOR VALUES FROM \('([^']+)'\) TO \('([^']+)'\)$$
        ) AS bound
        WHERE tree.isleaf
            AND partition.relpartbound IS NOT NULL
            AND (
                bound IS NULL
                OR bound[1]::timestamptz < $2::timestamptz AND bound[2]::timestamptz > $1::timestamptz
            )
    )
