-- Under which settings everything was decided; the evidence of removals as fields; where retention has cut the chain.
-- ARCHITECTURE.md explains every table. Migrations are never edited; a change is a new file.

-- The merged settings, as `config show` prints them: secrets are not in it. Once a digest.
CREATE TABLE settings_versions (
  digest TEXT PRIMARY KEY,
  text   TEXT NOT NULL,
  first  INTEGER NOT NULL,                           -- seconds: when something was first decided under it
  last   INTEGER NOT NULL                            -- and last, to the hour
) STRICT, WITHOUT ROWID;
ALTER TABLE cycles  ADD COLUMN settings TEXT;        -- the digest
ALTER TABLE journal ADD COLUMN settings TEXT;
ALTER TABLE journal ADD COLUMN proofs   TEXT;        -- JSON: the evidence as fields; it may name people

-- Of a link: which columns it seals. 2: `settings` and `proofs` too.
ALTER TABLE journal_chain ADD COLUMN form INTEGER NOT NULL DEFAULT 1;
CREATE INDEX journal_chain_entry ON journal_chain(entry);

-- What retention removed. The link of the same number (part `checkpoint`) seals it.
CREATE TABLE journal_checkpoints (
  n      INTEGER PRIMARY KEY,                        -- the number of its link
  links  INTEGER NOT NULL,                           -- the last link that was removed
  link   BLOB NOT NULL,                              -- and its hash
  entry  INTEGER NOT NULL,                           -- entries up to this one were removed, or carried over
  count  INTEGER NOT NULL,                           -- how many were removed
  total  INTEGER NOT NULL,                           -- with all earlier ones
  newest INTEGER,                                    -- seconds: the time of the newest that was removed
  before INTEGER NOT NULL,                           -- seconds: what is older was to go
  at     INTEGER NOT NULL,
  keep   TEXT NOT NULL,                              -- log.keep then
  by     TEXT,                                       -- NULL: the daemon
  reason TEXT
) STRICT;
