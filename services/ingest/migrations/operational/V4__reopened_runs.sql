-- What became of the runs that the service has started over a day by itself.
CREATE INDEX etl_runs_reopened ON etl_runs (start_day, state, finished_at) WHERE reopened;
-- A person's run goes before those.
CREATE INDEX etl_runs_pending ON etl_runs (reopened, created_at, run_id) WHERE state = 'PENDING';
