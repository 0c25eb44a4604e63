-- Up to when the CRM was known to a run, why it failed, and whether the service started it by
-- itself because the wearers of its days had changed.
ALTER TABLE etl_runs
  ADD COLUMN crm_watermark  timestamptz,
  ADD COLUMN failure_reason text    NOT NULL DEFAULT '',
  ADD COLUMN reopened       boolean NOT NULL DEFAULT false;
