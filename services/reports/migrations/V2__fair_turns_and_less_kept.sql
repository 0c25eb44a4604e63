-- Whose turn it is: an export stands behind those that others ask for within a while for each one
-- that its customer has open already, so that many exports of one do not hold up those of others.
ALTER TABLE exports ADD COLUMN turn_at timestamptz NOT NULL DEFAULT now();
UPDATE exports SET turn_at = created_at;
DROP INDEX exports_pending;
CREATE INDEX exports_by_turn ON exports (turn_at, export_id) WHERE state = 'PENDING';
CREATE INDEX exports_pending_of ON exports (customer_id) WHERE state = 'PENDING';

-- A document holds personal data: it is kept while the file is being made, and not where that failed.
ALTER TABLE exports DROP CONSTRAINT exports_have_what_is_to_be_made;
UPDATE exports SET document = NULL WHERE state = 'FAILED';
ALTER TABLE exports ADD CONSTRAINT exports_have_what_is_to_be_made
  CHECK ((state = 'PENDING') = (document IS NOT NULL));

-- JSON is the same in every language.
ALTER TABLE exports ALTER COLUMN language DROP NOT NULL;
UPDATE exports SET language = NULL WHERE format = 'JSON';
ALTER TABLE exports ADD CONSTRAINT exports_have_a_language_where_they_have_words
  CHECK ((format = 'JSON') = (language IS NULL));
