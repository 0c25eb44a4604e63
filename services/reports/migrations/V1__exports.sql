-- The index of exports: a row for each file, found by its name in the file store. The name is a
-- keyed digest of all that the file shows, so that the same report is made once. Whoever works on a
-- PENDING row holds a NO KEY UPDATE lock on it in an open transaction: dies the process, so does the
-- lock, and another one takes the row.
CREATE TABLE exports (
  export_id                    uuid        PRIMARY KEY,
  customer_id                  uuid        NOT NULL,
  name                         text        NOT NULL UNIQUE,
  period_kind                  text        NOT NULL CHECK (period_kind IN ('DAY', 'WEEK', 'MONTH', 'RANGE')),
  start_day                    date        NOT NULL,
  end_day                      date        NOT NULL,
  format                       text        NOT NULL CHECK (format IN ('CSV', 'JSON')),
  language                     text        NOT NULL CHECK (language IN ('ENGLISH', 'RUSSIAN')),
  state                        text        NOT NULL DEFAULT 'PENDING'
                               CHECK (state IN ('PENDING', 'READY', 'FAILED')),
  -- What the file is to show, until it is made: whoever makes it, however often, makes the same bytes.
  document                     text,
  telemetry_watermark          timestamptz,
  previous_telemetry_watermark timestamptz,
  crm_watermark                timestamptz,
  generated_at                 timestamptz NOT NULL,
  size_bytes                   bigint      NOT NULL DEFAULT 0,
  created_at                   timestamptz NOT NULL DEFAULT now(),
  ready_at                     timestamptz,
  failure_reason               text        NOT NULL DEFAULT '',
  failure                      text        NOT NULL DEFAULT '',
  CONSTRAINT exports_have_what_is_to_be_made CHECK ((state = 'READY') = (document IS NULL))
);

CREATE INDEX exports_newest_first ON exports (customer_id, created_at DESC, export_id DESC);
CREATE INDEX exports_pending ON exports (created_at, export_id) WHERE state = 'PENDING';

-- Requests by their identifiers, so that a repeated one answers what the first one did.
CREATE TABLE export_requests (
  customer_id uuid        NOT NULL,
  request_id  uuid        NOT NULL,
  asked       text        NOT NULL,
  export_id   uuid        NOT NULL REFERENCES exports,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (customer_id, request_id)
);
