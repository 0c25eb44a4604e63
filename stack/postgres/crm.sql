-- The CRM: somebody else's system, which BionicPRO only reads. It stands here so that a
-- development machine has one. Run by the role crm in the database crm; running it again
-- changes nothing.

-- An exclusion over a uuid and a range needs its operator class.
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE IF NOT EXISTS customers (
  id                 uuid        PRIMARY KEY,
  full_name          text        NOT NULL,
  email              text        NOT NULL,
  phone              text        NOT NULL,
  country            text        NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
  locale             text        NOT NULL,
  time_zone          text        NOT NULL,
  status             text        NOT NULL CHECK (status IN ('active', 'paused', 'closed')),
  created_at         timestamptz NOT NULL DEFAULT now(),
  updated_at         timestamptz NOT NULL DEFAULT now(),
  tracingspancontext text
);

CREATE TABLE IF NOT EXISTS prostheses (
  id                 uuid PRIMARY KEY,
  serial_number      text NOT NULL UNIQUE,
  model              text NOT NULL,
  side               text NOT NULL CHECK (side IN ('left', 'right')),
  firmware           text NOT NULL,
  manufactured_on    date NOT NULL,
  tracingspancontext text
);

-- Who wears a prosthesis, and when: from valid_from until just before valid_to.
CREATE TABLE IF NOT EXISTS assignments (
  id                 uuid        PRIMARY KEY,
  prosthesis_id      uuid        NOT NULL REFERENCES prostheses (id),
  customer_id        uuid        NOT NULL REFERENCES customers (id),
  valid_from         timestamptz NOT NULL,
  valid_to           timestamptz CHECK (valid_to > valid_from),
  tracingspancontext text,
  -- One wearer at a time: else a reading would belong to two people.
  CONSTRAINT assignments_one_wearer
    EXCLUDE USING gist (prosthesis_id WITH =, tstzrange(valid_from, valid_to) WITH &&)
);
CREATE INDEX IF NOT EXISTS assignments_customer_id ON assignments (customer_id);

CREATE TABLE IF NOT EXISTS service_visits (
  id                 uuid           PRIMARY KEY,
  prosthesis_id      uuid           NOT NULL REFERENCES prostheses (id),
  visited_at         timestamptz    NOT NULL,
  kind               text           NOT NULL
    CHECK (kind IN ('fitting', 'inspection', 'repair', 'firmware_update')),
  notes              text           NOT NULL DEFAULT '',
  cost               numeric(12, 2) NOT NULL CHECK (cost >= 0),
  tracingspancontext text
);
CREATE INDEX IF NOT EXISTS service_visits_prosthesis_id ON service_visits (prosthesis_id);

-- What `cargo stack seed` put here, so that the next `cargo stack up` does not do it again.
CREATE TABLE IF NOT EXISTS seed_plan (
  seed      bigint  NOT NULL,
  customers integer NOT NULL,
  days      integer NOT NULL,
  last_day  date    NOT NULL
);

-- The transaction's trace context goes with each row that it writes, for Debezium to pick up.
-- A transaction without one clears it: an old context would put new changes into an old trace.
-- nullif: after a SET LOCAL the setting reads as empty text, not as null.
CREATE OR REPLACE FUNCTION set_tracing_span_context() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.tracingspancontext :=
    'traceparent=' || nullif(current_setting('bionicpro.traceparent', true), '');
  RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER customers_trace BEFORE INSERT OR UPDATE ON customers
  FOR EACH ROW EXECUTE FUNCTION set_tracing_span_context();
CREATE OR REPLACE TRIGGER prostheses_trace BEFORE INSERT OR UPDATE ON prostheses
  FOR EACH ROW EXECUTE FUNCTION set_tracing_span_context();
CREATE OR REPLACE TRIGGER assignments_trace BEFORE INSERT OR UPDATE ON assignments
  FOR EACH ROW EXECUTE FUNCTION set_tracing_span_context();
CREATE OR REPLACE TRIGGER service_visits_trace BEFORE INSERT OR UPDATE ON service_visits
  FOR EACH ROW EXECUTE FUNCTION set_tracing_span_context();

-- What Debezium may read. It brings REPLICATION itself and makes its own slot; the publication
-- is made here because only a table's owner may publish it.
GRANT USAGE ON SCHEMA public TO debezium;
GRANT SELECT ON customers, prostheses, assignments, service_visits TO debezium;
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'bionicpro_crm') THEN
    CREATE PUBLICATION bionicpro_crm
      FOR TABLE customers, prostheses, assignments, service_visits;
  END IF;
END
$$;
