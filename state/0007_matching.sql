-- Matching: what a person says of single links, people who come back under a new id, anchors that are lost.
-- ARCHITECTURE.md explains every table. Migrations are never edited; a change is a new file.

ALTER TABLE links ADD COLUMN match_cause TEXT;       -- the cause under which matching holds it, in place of its own
ALTER TABLE links ADD COLUMN pinned      TEXT;       -- the resource that a person said it is (`link set`)
ALTER TABLE links ADD COLUMN retires     INTEGER;    -- the link whose account has to be renamed out of the way first
ALTER TABLE links ADD COLUMN lost_at     INTEGER;    -- seconds: the target answered that it has no such resource; matched anew since: NULL

-- Who somebody is beside the source's id, by the names of Graph and files, and of Okta.
ALTER TABLE links ADD COLUMN employee TEXT AS (nullif(CAST(coalesce(
  json_extract(seen, '$.employeeId'), json_extract(seen, '$."user.employeeNumber"')) AS TEXT), '')) VIRTUAL;
ALTER TABLE links ADD COLUMN immutable TEXT AS
  (nullif(CAST(json_extract(seen, '$.onPremisesImmutableId') AS TEXT), '')) VIRTUAL;
CREATE INDEX links_employee  ON links(job, employee)  WHERE employee IS NOT NULL;
CREATE INDEX links_immutable ON links(job, immutable) WHERE immutable IS NOT NULL;
CREATE INDEX links_adopt     ON links(job, json_extract(adopt, '$.resource')) WHERE adopt IS NOT NULL;
CREATE INDEX links_lost      ON links(job, lost_at)   WHERE lost_at IS NOT NULL;

ALTER TABLE approvals ADD COLUMN resource TEXT;      -- the account or team that was looked at with it
