-- The embedded workspaces: users and teams, memberships, push tokens.
-- ARCHITECTURE.md explains every table. Migrations are never edited; a change is a new file.

CREATE TABLE workspaces (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE resources (
  n           INTEGER PRIMARY KEY,       -- the order of lists; never shown to anybody
  workspace   INTEGER NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  kind        TEXT NOT NULL,             -- user | group
  id          TEXT NOT NULL,             -- ours, opaque, never used again
  owner       TEXT NOT NULL,             -- the job or the token that made it
  external_id TEXT,                      -- compared exactly, not unique
  user_key    TEXT,                      -- folded userName, users only
  display_key TEXT,                      -- folded displayName, not unique
  active      INTEGER NOT NULL,          -- 0 or 1; teams are always active
  body        TEXT NOT NULL,             -- assigned attributes as JSON, without id, meta, schemas and members
  version     INTEGER NOT NULL,          -- counts real changes
  created     INTEGER NOT NULL,          -- milliseconds
  modified    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX resources_id ON resources (workspace, id);
CREATE UNIQUE INDEX resources_user_key ON resources (workspace, user_key) WHERE user_key IS NOT NULL;
-- In the order of lists, as the row number stands behind every index.
CREATE INDEX resources_kind ON resources (workspace, kind);
CREATE INDEX resources_inactive ON resources (workspace, kind) WHERE active = 0;
CREATE INDEX resources_external_id ON resources (workspace, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX resources_display_key ON resources (workspace, display_key) WHERE display_key IS NOT NULL;

-- Every e-mail value of a user, folded: what people are found by.
CREATE TABLE emails (
  workspace INTEGER NOT NULL,
  key       TEXT NOT NULL,
  resource  INTEGER NOT NULL REFERENCES resources (n) ON DELETE CASCADE,
  PRIMARY KEY (workspace, key, resource)
) STRICT, WITHOUT ROWID;
CREATE INDEX emails_resource ON emails (resource);

CREATE TABLE members (
  team   INTEGER NOT NULL REFERENCES resources (n) ON DELETE CASCADE,
  member INTEGER NOT NULL REFERENCES resources (n) ON DELETE CASCADE,
  PRIMARY KEY (team, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_member ON members (member);

CREATE TABLE tokens (
  id        TEXT PRIMARY KEY,            -- the public part
  workspace INTEGER NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
  dialect   TEXT NOT NULL,               -- strict | tolerant
  hash      BLOB NOT NULL,               -- SHA-256 of the secret part
  created   INTEGER NOT NULL,            -- seconds
  who       TEXT NOT NULL,               -- made it
  reason    TEXT NOT NULL,
  expires   INTEGER,
  revoked   INTEGER,
  last_used INTEGER                      -- to the hour
) STRICT;
CREATE INDEX tokens_workspace ON tokens (workspace);
