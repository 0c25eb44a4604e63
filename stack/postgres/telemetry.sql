-- The telemetry store: somebody else's system, which BionicPRO only reads. It stands here so
-- that a development machine has one. Run by the role telemetry in the database telemetry;
-- running it again changes nothing.

-- One row a grip. The device makes the id, so that a reading sent twice is one reading.
CREATE TABLE IF NOT EXISTS readings (
  id              uuid        NOT NULL,
  prosthesis_id   uuid        NOT NULL,
  recorded_at     timestamptz NOT NULL,
  received_at     timestamptz NOT NULL,
  grip            text        NOT NULL,
  duration_ms     integer     NOT NULL CHECK (duration_ms >= 0),
  response_ms     integer     NOT NULL CHECK (response_ms >= 0),
  force_mn        integer     NOT NULL CHECK (force_mn >= 0),
  battery_pct     smallint    NOT NULL CHECK (battery_pct BETWEEN 0 AND 100),
  emg_quality_pct smallint    NOT NULL CHECK (emg_quality_pct BETWEEN 0 AND 100),
  fault_code      text,
  PRIMARY KEY (id, recorded_at)
) PARTITION BY RANGE (recorded_at);

-- Makes the partition of one day (UTC) if it is not there: readings_20261123.
CREATE OR REPLACE FUNCTION create_readings_day(day date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format(
    'CREATE TABLE IF NOT EXISTS %I PARTITION OF readings FOR VALUES FROM (%L) TO (%L)',
    'readings_' || to_char(day, 'YYYYMMDD'),
    day::timestamp AT TIME ZONE 'UTC',
    (day + 1)::timestamp AT TIME ZONE 'UTC'
  );
END
$$;

-- What `cargo stack seed` put here, so that the next `cargo stack up` does not do it again.
CREATE TABLE IF NOT EXISTS seed_plan (
  seed      bigint  NOT NULL,
  customers integer NOT NULL,
  days      integer NOT NULL,
  last_day  date    NOT NULL
);

GRANT USAGE ON SCHEMA public TO ingest_reader;
GRANT SELECT ON readings TO ingest_reader;
