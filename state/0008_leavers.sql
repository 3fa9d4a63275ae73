-- Who left and why, deletions that are due later, and what a job has seen of the clock.
-- ARCHITECTURE.md explains every table. Migrations are never edited; a change is a new file.

ALTER TABLE links ADD COLUMN left_by   TEXT;         -- the event: unassigned | out_of_scope | disabled | suspended | soft_deleted | purged | missing
ALTER TABLE links ADD COLUMN left_at   INTEGER;      -- seconds: the first cycle that saw it
ALTER TABLE links ADD COLUMN delete_at INTEGER;      -- seconds: the account is, or was, due to be deleted
ALTER TABLE links ADD COLUMN decide_at INTEGER;      -- seconds: time alone may make another decision
ALTER TABLE links ADD COLUMN by_time   INTEGER NOT NULL DEFAULT 0; -- 1: time alone is why it is not wanted
CREATE INDEX links_delete_at ON links(job, delete_at) WHERE delete_at IS NOT NULL;
CREATE INDEX links_decide_at ON links(job, decide_at) WHERE decide_at IS NOT NULL;

ALTER TABLE jobs ADD COLUMN clock        INTEGER;    -- seconds: the highest time that was believed (P17)
ALTER TABLE jobs ADD COLUMN clock_last   INTEGER;    -- what the last cycle was shown
ALTER TABLE jobs ADD COLUMN clock_jumped INTEGER;    -- where a jump led that is not believed yet
