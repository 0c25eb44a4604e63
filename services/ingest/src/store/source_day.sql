-- The source's clock, and whether it has a place for readings between two moments: a partition of
-- that range, or a table that is not partitioned. A partition for everything else is no place of
-- theirs: it is there whatever was dropped. Other bounds that are not known here count as one.
SELECT
    now(),
    EXISTS (SELECT FROM pg_class WHERE oid = 'readings'::regclass AND relkind <> 'p')
    OR EXISTS (
        SELECT FROM pg_partition_tree('readings') AS tree
        JOIN pg_class AS partition ON partition.oid = tree.relid
        CROSS JOIN LATERAL pg_get_expr(partition.relpartbound, partition.oid) AS bounds
        CROSS JOIN LATERAL regexp_match(
            bounds, $$^FOR VALUES FROM \('([^']+)'\) TO \('([^']+)'\)$$
        ) AS bound
        WHERE tree.isleaf
            AND bounds <> 'DEFAULT'
            AND (
                bound IS NULL
                OR bound[1]::timestamptz < $2::timestamptz AND bound[2]::timestamptz > $1::timestamptz
            )
    )
