-- Runs of the daily load. A row outlives its run; the process that works on a run holds a
-- KEY SHARE lock on its row in an open transaction, so a RUNNING row that can be locked
-- FOR UPDATE has lost its process.
CREATE TABLE etl_runs (
  run_id              uuid        PRIMARY KEY,
  request_id          uuid        NOT NULL UNIQUE,
  start_day           date        NOT NULL,
  end_day             date        NOT NULL,
  state               text        NOT NULL DEFAULT 'PENDING'
                      CHECK (state IN ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'ABANDONED')),
  days_done           integer     NOT NULL DEFAULT 0,
  readings_read       bigint      NOT NULL DEFAULT 0,
  readings_unassigned bigint      NOT NULL DEFAULT 0,
  mart_rows_written   bigint      NOT NULL DEFAULT 0,
  created_at          timestamptz NOT NULL DEFAULT now(),
  started_at          timestamptz,
  finished_at         timestamptz,
  failure             text        NOT NULL DEFAULT '',
  CONSTRAINT etl_runs_days_in_order CHECK (start_day <= end_day),
  -- Two unfinished runs never share a day.
  CONSTRAINT etl_runs_days_free EXCLUDE USING gist (daterange(start_day, end_day, '[]') WITH &&)
    WHERE (state IN ('PENDING', 'RUNNING'))
);

CREATE INDEX etl_runs_newest_first ON etl_runs (created_at DESC, run_id DESC);
CREATE INDEX etl_runs_unfinished ON etl_runs (state, created_at) WHERE state IN ('PENDING', 'RUNNING');
