-- Readings that devices sent and that count in the days of a run.
ALTER TABLE etl_runs ADD COLUMN readings_sent bigint NOT NULL DEFAULT 0;
