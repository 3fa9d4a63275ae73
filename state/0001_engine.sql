-- What the engine knows of each job: links with their three snapshots, seen edges, team edges, journal.
-- ARCHITECTURE.md explains every table. Migrations are never edited; a change is a new file.

CREATE TABLE jobs (
  id              INTEGER PRIMARY KEY,
  name            TEXT NOT NULL UNIQUE,
  mode            TEXT NOT NULL DEFAULT 'observe',   -- observe | approve | write
  source_identity TEXT,                              -- pinned at the first cycle (P15)
  target_identity TEXT,
  rules           TEXT                               -- digest of the rules that `desired` was made with
) STRICT;

CREATE TABLE cycles (
  id       INTEGER PRIMARY KEY,
  job      INTEGER NOT NULL REFERENCES jobs(id),
  started  INTEGER NOT NULL,
  ended    INTEGER,
  record   TEXT                                      -- JSON, once it has ended
) STRICT;
CREATE INDEX cycles_job ON cycles(job, id);

CREATE TABLE watermarks (
  job   INTEGER NOT NULL REFERENCES jobs(id),
  name  TEXT NOT NULL,                               -- the read's name
  value TEXT NOT NULL,
  cycle INTEGER NOT NULL,
  PRIMARY KEY (job, name)
) STRICT, WITHOUT ROWID;

-- A source object, paired with at most one resource of the target.
CREATE TABLE links (
  id           INTEGER PRIMARY KEY,
  job          INTEGER NOT NULL REFERENCES jobs(id),
  kind         TEXT NOT NULL,                        -- user | group | app (an application is only ever a container)
  source_id    TEXT NOT NULL,
  -- seen
  standing     TEXT NOT NULL DEFAULT 'unread',
  seen         TEXT,                                 -- JSON object: attributes by the source's names
  seen_hash    BLOB,
  absent_reads INTEGER NOT NULL DEFAULT 0,           -- complete reads in a row that did not show it
  -- desired
  desired      TEXT,                                 -- active | inactive | absent | unmanaged; NULL: not decided yet
  wanted       TEXT,                                 -- JSON object: attributes by SCIM path, when active
  wanted_key   TEXT,                                 -- the unique value, folded
  -- applied
  applied      TEXT NOT NULL DEFAULT 'absent',       -- absent | active | inactive
  resource     TEXT,
  sent         TEXT,                                 -- JSON: as we sent it
  shown        TEXT,                                 -- JSON: as the target then showed it
  applied_key  TEXT,
  origin       TEXT,                                 -- created | adopted
  -- the change that would make applied equal desired
  class        TEXT,                                 -- NULL: nothing pending
  cause        TEXT,
  proof        TEXT,                                 -- event | absence
  questions    TEXT,                                 -- JSON: what a witness has to be asked before it is written
  adopt        TEXT,                                 -- JSON {resource, by, shown}: matching found this one
  hold         TEXT,                                 -- JSON {kind, text}; NULL: go
  attempts     INTEGER NOT NULL DEFAULT 0,
  failure      TEXT,
  due_at       INTEGER,                              -- seconds; not before this time
  dirty        INTEGER NOT NULL DEFAULT 0,           -- 1 object, 2 edge, 4 rules: what has to be decided again
  granted      INTEGER NOT NULL DEFAULT 0,           -- a container: 1 where its direct members are in scope
  UNIQUE (job, kind, source_id)
) STRICT;
CREATE INDEX links_dirty      ON links(job, kind, id)               WHERE dirty <> 0;
CREATE INDEX links_pending    ON links(job, class, kind, source_id) WHERE class IS NOT NULL;
CREATE INDEX links_resource   ON links(resource)                    WHERE resource IS NOT NULL;
CREATE INDEX links_wanted_key ON links(job, wanted_key)             WHERE wanted_key IS NOT NULL;
CREATE INDEX links_applied_key ON links(job, applied_key)           WHERE applied_key IS NOT NULL;
CREATE INDEX links_active     ON links(job)                         WHERE kind = 'user' AND applied = 'active';
CREATE INDEX links_wanted     ON links(job)                         WHERE kind = 'user' AND desired = 'active';

-- Who is directly in what, for everyone and every group that was read, in scope or not.
CREATE TABLE seen_edges (
  id           INTEGER PRIMARY KEY,
  container    INTEGER NOT NULL REFERENCES links(id),
  principal    INTEGER NOT NULL REFERENCES links(id),
  detail       TEXT NOT NULL DEFAULT '',
  gone         INTEGER NOT NULL DEFAULT 0,           -- 0 present, 1 removed by an event, 2 missing from a complete read
  absent_reads INTEGER NOT NULL DEFAULT 0,
  UNIQUE (container, principal)
) STRICT;
CREATE INDEX seen_edges_principal ON seen_edges(principal, container);
CREATE INDEX seen_edges_gone      ON seen_edges(container) WHERE gone <> 0;

-- Who is, and who should be, in which team of the target. People that are not here are not ours (P6).
CREATE TABLE team_edges (
  job      INTEGER NOT NULL,
  team     INTEGER NOT NULL REFERENCES links(id),
  person   INTEGER NOT NULL REFERENCES links(id),
  desired  INTEGER NOT NULL,
  applied  INTEGER NOT NULL,
  cause    TEXT,
  proof    TEXT,
  hold     TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  failure  TEXT,
  due_at   INTEGER,
  PRIMARY KEY (team, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_edges_person  ON team_edges(person);
CREATE INDEX team_edges_pending ON team_edges(job, team, person) WHERE desired <> applied;

-- Pairs whose membership has to be decided again.
CREATE TABLE dirty_edges (
  job    INTEGER NOT NULL,
  team   INTEGER NOT NULL,
  person INTEGER NOT NULL,
  PRIMARY KEY (job, team, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE causes (
  job   INTEGER NOT NULL REFERENCES jobs(id),
  id    TEXT NOT NULL,
  cause TEXT NOT NULL,                               -- JSON
  PRIMARY KEY (job, id)
) STRICT, WITHOUT ROWID;

-- A person's decision that what was looked at may go: a cause, a link (or an edge) and a class.
CREATE TABLE approvals (
  job    INTEGER NOT NULL REFERENCES jobs(id),
  link   INTEGER NOT NULL,
  person INTEGER NOT NULL DEFAULT 0,                 -- the member, for an edge; 0 for a link
  class  TEXT NOT NULL,
  cause  TEXT NOT NULL,
  who    TEXT NOT NULL,
  reason TEXT NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (job, link, person, class)
) STRICT, WITHOUT ROWID;

-- Decisions about a job as a whole (enable), for the log.
CREATE TABLE decisions (
  id     INTEGER PRIMARY KEY,
  job    INTEGER NOT NULL REFERENCES jobs(id),
  what   TEXT NOT NULL,
  who    TEXT NOT NULL,
  reason TEXT NOT NULL,
  at     INTEGER NOT NULL
) STRICT;

-- Every write: the intent before it, the outcome after it (P5).
CREATE TABLE journal (
  id       INTEGER PRIMARY KEY,
  job      INTEGER NOT NULL REFERENCES jobs(id),
  cycle    INTEGER NOT NULL REFERENCES cycles(id),
  link     INTEGER NOT NULL REFERENCES links(id),    -- the person or the team
  class    TEXT NOT NULL,
  cause    TEXT,
  people   TEXT,                                     -- JSON array of link ids: the members of a membership change
  count    INTEGER NOT NULL DEFAULT 1,               -- changes that this entry stands for
  approved INTEGER NOT NULL DEFAULT 0,               -- 1: approved, or it follows from what is counted; not counted itself
  edits    TEXT NOT NULL,                            -- JSON: [{path, old, new}]
  at       INTEGER NOT NULL,
  outcome  TEXT,                                     -- done | conflict | missing | refused | later | unknown | not_done
  detail   TEXT,
  ended    INTEGER
) STRICT;
CREATE INDEX journal_open ON journal(job)            WHERE outcome IS NULL;
CREATE INDEX journal_link ON journal(link);
CREATE INDEX journal_cycle ON journal(cycle);
CREATE INDEX journal_window ON journal(job, class, at);
