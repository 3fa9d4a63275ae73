-- What a person undid, while that lasts (P9): what an object is to be meanwhile, whatever the rules say of it.
-- ARCHITECTURE.md explains every table. Migrations are never edited; a change is a new file.

CREATE TABLE overrides (
  job    INTEGER NOT NULL REFERENCES jobs(id),
  link   INTEGER NOT NULL,                           -- the person or the team; of a membership the team
  person INTEGER NOT NULL DEFAULT 0,                 -- the member, for a membership; 0 for a link
  active INTEGER,                                    -- 1 active, or a member; 0 not; NULL: as the rules say
  vals   TEXT NOT NULL DEFAULT '{}',                 -- JSON: attributes by SCIM path; null: unassigned
  names  TEXT NOT NULL DEFAULT '{}',                 -- JSON: whom references name, by path: a source id; null: nobody
  cause  TEXT NOT NULL,
  cycle  INTEGER NOT NULL,                           -- the one that was undone
  who    TEXT NOT NULL,
  reason TEXT NOT NULL,
  at     INTEGER NOT NULL,
  until  INTEGER NOT NULL,
  ended  INTEGER NOT NULL DEFAULT 0,                 -- 1: the rules decide again, and what they want is held
  PRIMARY KEY (job, link, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX overrides_until  ON overrides(job, until)  WHERE ended = 0;
CREATE INDEX overrides_person ON overrides(job, person) WHERE person <> 0;
