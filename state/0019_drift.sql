-- Where the target shows otherwise than it last accepted, as the last verification of the target found it.
ALTER TABLE jobs ADD COLUMN target_verified INTEGER;       -- when that was, in seconds
ALTER TABLE links ADD COLUMN drifted TEXT;                 -- JSON: what is put right by the next decision, as its cause
ALTER TABLE links ADD COLUMN shut_at INTEGER;              -- when somebody else was found to have deactivated the account

CREATE TABLE drift (
  job    INTEGER NOT NULL REFERENCES jobs(id),
  link   INTEGER NOT NULL REFERENCES links(id),            -- the person or the team
  kind   TEXT NOT NULL,                                    -- plan::DriftKind
  path   TEXT NOT NULL DEFAULT '',                         -- of a changed attribute
  person INTEGER NOT NULL DEFAULT 0,                       -- of a lost member
  count  INTEGER NOT NULL DEFAULT 1,                       -- strangers that this row stands for
  past   TEXT,                                             -- JSON: what the target showed when it accepted
  found  TEXT,                                             -- JSON: what it shows; of strangers some of their ids
  at     INTEGER NOT NULL,
  PRIMARY KEY (job, link, kind, path, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX drift_link ON drift(link);
