-- What a failed change is called and since when it fails; a job that is paused, or that mostly fails.
-- ARCHITECTURE.md explains every table. Migrations are never edited; a change is a new file.

ALTER TABLE links             ADD COLUMN failed_at INTEGER;  -- seconds: the first failure; counts where `failure` is set
ALTER TABLE links             ADD COLUMN failure_code TEXT;
ALTER TABLE team_edges        ADD COLUMN failed_at INTEGER;
ALTER TABLE team_edges        ADD COLUMN failure_code TEXT;
ALTER TABLE person_references ADD COLUMN failed_at INTEGER;
ALTER TABLE person_references ADD COLUMN failure_code TEXT;

ALTER TABLE jobs ADD COLUMN paused        TEXT;                       -- JSON {until, who, reason, at}; NULL: it runs
ALTER TABLE jobs ADD COLUMN quarantine    TEXT;                       -- JSON; NULL: it is in none
ALTER TABLE jobs ADD COLUMN failed_cycles INTEGER NOT NULL DEFAULT 0; -- cycles in a row that could not go on
