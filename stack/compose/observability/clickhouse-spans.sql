-- ClickHouse keeps its spans in a log table of its own. This view sends each to Jaeger, as zipkin's
-- JSON, when the log is written; Jaeger away, they stay in the log and nobody waits. Of a span's
-- attributes only those pass that cannot hold a value of a query. The engine attaches no log table
-- again after a restart, but makes it anew, and the view then reads the new one.
SYSTEM FLUSH LOGS;

DROP DATABASE IF EXISTS spans SYNC;

CREATE DATABASE spans;

CREATE TABLE spans.zipkin (
    traceId String,
    id String,
    parentId Nullable(String),
    name String,
    kind Nullable(String),
    timestamp UInt64,
    duration UInt64,
    localEndpoint Tuple(serviceName String),
    tags Map(String, String)
)
ENGINE = URL('http://jaeger:9411/api/v2/spans', JSONEachRow)
SETTINGS
    output_format_json_array_of_rows = 1,
    output_format_json_named_tuples_as_objects = 1,
    output_format_json_quote_64bit_integers = 0;

CREATE MATERIALIZED VIEW spans.forwarded TO spans.zipkin AS
SELECT
    lower(hex(trace_id)) AS traceId,
    lower(hex(span_id)) AS id,
    nullIf(lower(hex(parent_span_id)), '0000000000000000') AS parentId,
    operation_name AS name,
    if(kind = 'INTERNAL', NULL, toString(kind)) AS kind,
    start_time_us AS timestamp,
    greatest(finish_time_us - start_time_us, 1) AS duration,
    tuple('clickhouse')::Tuple(serviceName String) AS localEndpoint,
    mapConcat(
        map('db.system.name', 'clickhouse'),
        mapFilter(
            (name, value) -> name IN (
                'http.method', 'clickhouse.http_status', 'clickhouse.query_id',
                'clickhouse.query_status', 'clickhouse.exception_code', 'clickhouse.read_rows',
                'clickhouse.read_bytes', 'clickhouse.written_rows', 'clickhouse.memory_usage'),
            CAST(attribute, 'Map(String, String)'))
    ) AS tags
FROM system.opentelemetry_span_log
-- The rest are the threads of a query's pipeline: a dozen a query, and none has children here.
WHERE operation_name IN ('HTTPHandler', 'TCPHandler', 'query', 'PipelineExecutor::execute()')
