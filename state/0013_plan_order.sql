-- Pending memberships and references in the order of source ids, so that a plan does not depend on the order in which
-- things came to be known (a link never changes its source id); and what a rehearsal knows of the source.
-- ARCHITECTURE.md explains every table. Migrations are never edited; a change is a new file.

ALTER TABLE team_edges ADD COLUMN team_source   TEXT NOT NULL DEFAULT '';
ALTER TABLE team_edges ADD COLUMN person_source TEXT NOT NULL DEFAULT '';
UPDATE team_edges SET team_source   = (SELECT source_id FROM links WHERE id = team),
                      person_source = (SELECT source_id FROM links WHERE id = person);
DROP INDEX team_edges_pending;
CREATE INDEX team_edges_pending ON team_edges(job, desired, team_source, person_source) WHERE desired <> applied;

ALTER TABLE person_references ADD COLUMN source TEXT NOT NULL DEFAULT '';
UPDATE person_references SET source = (SELECT source_id FROM links WHERE id = person);
DROP INDEX person_references_pending;
CREATE INDEX person_references_pending ON person_references(job, source, path) WHERE pending = 1;

-- The directory's own domain, as a cycle last read it: a rehearsal asks nobody.
ALTER TABLE jobs ADD COLUMN default_domain TEXT;
