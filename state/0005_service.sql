-- One provisioning log for both doors, and a chain that shows whether anybody changed it. Owners, tenants of tokens,
-- grants and follow-ups.
-- ARCHITECTURE.md explains every table. Migrations are never edited; a change is a new file.

-- `job NAME`, `push TENANT` or `local`.
UPDATE resources SET owner = CASE WHEN owner LIKE 'token %' THEN 'push push' ELSE 'job ' || owner END;

-- A grant stands or falls with its user, who has one for an account.
ALTER TABLE resources ADD COLUMN holder INTEGER REFERENCES resources (n) ON DELETE CASCADE;
ALTER TABLE resources ADD COLUMN account_key TEXT;                  -- folded, grants only
CREATE UNIQUE INDEX resources_grant ON resources (holder, account_key) WHERE holder IS NOT NULL;

ALTER TABLE tokens ADD COLUMN tenant TEXT NOT NULL DEFAULT 'push';  -- all tokens of one client, one after the other
ALTER TABLE tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT 'read users:write groups:write';
ALTER TABLE tokens ADD COLUMN denied TEXT NOT NULL DEFAULT '';      -- attributes that it may not write, by commas
ALTER TABLE tokens ADD COLUMN client TEXT;                          -- the User-Agent of its last use
ALTER TABLE tokens ADD COLUMN lifetime INTEGER;                     -- seconds that it and its successors last; NULL: no end
ALTER TABLE tokens ADD COLUMN successor TEXT;                       -- the id of the token that was made to follow it
ALTER TABLE tokens ADD COLUMN rotated INTEGER;                      -- seconds: when that was
ALTER TABLE tokens ADD COLUMN revoked_by TEXT;
ALTER TABLE tokens ADD COLUMN revoked_why TEXT;

-- The journal again, with entries of pushes and commands: they have no job, no cycle and no link.
CREATE TABLE journal_of_both (
  id        INTEGER PRIMARY KEY,
  job       INTEGER REFERENCES jobs(id),
  cycle     INTEGER REFERENCES cycles(id),
  link      INTEGER REFERENCES links(id),            -- the person or the team
  workspace INTEGER REFERENCES workspaces(id),       -- of a push or a command
  owner     TEXT,                                    -- who wrote it: push TENANT, local
  by        TEXT,                                    -- the token's id; of a command, who gave it
  resource  TEXT,                                    -- the id of the user, team or grant
  kind      TEXT,                                    -- user | group | grant
  name      TEXT,                                    -- what people called it then
  class     TEXT NOT NULL,
  cause     TEXT,                                    -- of a job: causes.id; else the reason that was given
  people    TEXT,                                    -- JSON array: link ids, or resource ids, of the members that changed
  count     INTEGER NOT NULL DEFAULT 1,              -- changes that this entry stands for
  approved  INTEGER NOT NULL DEFAULT 0,              -- 1: approved, or it follows from what is counted; not counted itself
  edits     TEXT NOT NULL,                           -- JSON: [{path, old, new}]
  at        INTEGER NOT NULL,
  outcome   TEXT,                                    -- done | conflict | missing | refused | later | unknown | not_done
  detail    TEXT,
  ended     INTEGER,
  evidence  TEXT,                                    -- what the witness of a removal answered, without values
  salt      BLOB,                                    -- with which the values are sealed; gone when they are erased
  CHECK (job IS NOT NULL OR workspace IS NOT NULL)
) STRICT;
INSERT INTO journal_of_both (id, job, cycle, link, class, cause, people, count, approved, edits, at, outcome, detail,
                             ended, evidence)
  SELECT id, job, cycle, link, class, cause, people, count, approved, edits, at, outcome, detail, ended, evidence
    FROM journal;
DROP TABLE journal;
ALTER TABLE journal_of_both RENAME TO journal;
CREATE INDEX journal_open     ON journal(job)            WHERE outcome IS NULL;
CREATE INDEX journal_link     ON journal(link)           WHERE link IS NOT NULL;
CREATE INDEX journal_cycle    ON journal(cycle)          WHERE cycle IS NOT NULL;
CREATE INDEX journal_window   ON journal(job, class, at) WHERE job IS NOT NULL;
CREATE INDEX journal_resource ON journal(workspace, resource) WHERE workspace IS NOT NULL;
-- Equal refusals of a token are one entry with a count.
CREATE INDEX journal_refused  ON journal(workspace, by, at) WHERE outcome IN ('conflict', 'refused') AND by IS NOT NULL;

-- Each part of an entry, hashed together with the link before it. Values are in it as salted hashes alone, so that they
-- can be erased and the rest still be verified.
CREATE TABLE journal_chain (
  n       INTEGER PRIMARY KEY,
  entry   INTEGER NOT NULL,
  part    TEXT NOT NULL,                             -- intent | outcome | whole (both at once) | erased
  erasure INTEGER,                                   -- of `erased`: the entry of the erasure
  sealed  BLOB NOT NULL,                             -- hash of the salt and the values
  link    BLOB NOT NULL                              -- hash of the link before, the entry's who, when, what and why, and `sealed`
) STRICT;
CREATE INDEX journal_chain_erased ON journal_chain(entry) WHERE part = 'erased';

-- Ids of resources that are gone: never used again.
CREATE TABLE tombstones (
  workspace INTEGER NOT NULL,
  id        TEXT NOT NULL,
  PRIMARY KEY (workspace, id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER resources_gone AFTER DELETE ON resources
BEGIN
  INSERT OR IGNORE INTO tombstones VALUES (OLD.workspace, OLD.id);
END;

-- Values that one resource alone may have, besides userName. `unique_by`: the attributes for which the rows were made.
ALTER TABLE workspaces ADD COLUMN unique_by TEXT NOT NULL DEFAULT '';
CREATE TABLE unique_values (
  workspace INTEGER NOT NULL,
  attribute TEXT NOT NULL,
  key       TEXT NOT NULL,                           -- folded
  resource  INTEGER NOT NULL REFERENCES resources (n) ON DELETE CASCADE,
  PRIMARY KEY (workspace, attribute, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX unique_values_resource ON unique_values (resource);

-- One loss of grants: a user was deactivated or deleted. By whom and when, and what has become of it since.
CREATE TABLE losses (
  id          INTEGER PRIMARY KEY,
  workspace   INTEGER NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  user        TEXT NOT NULL,                         -- the id of the user
  cause       TEXT NOT NULL,                         -- deactivated | deleted
  owner       TEXT NOT NULL,                         -- who did it: job NAME, push TENANT, local
  at          INTEGER NOT NULL,                      -- milliseconds
  reactivated INTEGER,                               -- when the user was first active again
  undone      INTEGER,                               -- when the grants were given back
  undone_by   TEXT,                                  -- by whom, and why
  undone_why  TEXT
) STRICT;
CREATE INDEX losses_user ON losses (workspace, user);

-- The grants of a loss, as they were.
CREATE TABLE lost_grants (
  loss    INTEGER NOT NULL REFERENCES losses (id) ON DELETE CASCADE,
  id      TEXT NOT NULL,
  owner   TEXT NOT NULL,
  body    TEXT NOT NULL,                             -- {} once the person is erased
  version INTEGER NOT NULL,
  created INTEGER NOT NULL,                          -- milliseconds
  PRIMARY KEY (loss, id)
) STRICT, WITHOUT ROWID;

-- What somebody has to do because access was taken: kept until it is acknowledged.
CREATE TABLE follow_ups (
  n            INTEGER PRIMARY KEY,                  -- the order of lists
  id           TEXT NOT NULL UNIQUE,                 -- the webhook-id: the same at every delivery
  workspace    INTEGER NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  loss         INTEGER NOT NULL REFERENCES losses (id) ON DELETE CASCADE,
  user         TEXT NOT NULL,
  body         TEXT NOT NULL,                        -- JSON: what the webhook says; {} once the person is erased
  state        TEXT NOT NULL,                        -- waiting | sent | acknowledged | cancelled
  created      INTEGER NOT NULL,                     -- milliseconds, as all times here
  due          INTEGER NOT NULL,                     -- the next attempt, not before; the settings' delay comes on top
  at_once      INTEGER NOT NULL DEFAULT 0,           -- 1: somebody asked for it, so the delay does not count
  attempts     INTEGER NOT NULL DEFAULT 0,           -- begun, whatever became of them
  failure      TEXT,                                 -- why the last one failed
  delivered    INTEGER,
  ended        INTEGER,                              -- acknowledged or cancelled
  by           TEXT,                                 -- who did that: receiver, or the user of a command
  reason       TEXT
) STRICT;
CREATE INDEX follow_ups_due ON follow_ups (workspace, due) WHERE state = 'waiting';
CREATE INDEX follow_ups_open ON follow_ups (workspace, created) WHERE state IN ('waiting', 'sent');
CREATE INDEX follow_ups_loss ON follow_ups (loss);
