-- Ownership that passes by command, and links that are proposed after a lost state.
-- ARCHITECTURE.md explains every table. Migrations are never edited; a change is a new file.

ALTER TABLE tokens ADD COLUMN taken_by TEXT;         -- the job that took over what its tenant pushed (`link takeover`)
ALTER TABLE links  ADD COLUMN proposed TEXT;         -- the resource that may have been ours: a person decides (`link rebuild`)
