-- Since when a cause holds something, and when that was said last: what is held is announced again (P13).

CREATE TABLE held_causes (
  job   INTEGER NOT NULL REFERENCES jobs(id),
  cause TEXT NOT NULL,
  kind  TEXT NOT NULL,                               -- why it is held
  since INTEGER NOT NULL,
  told  INTEGER,                                     -- NULL: not yet
  PRIMARY KEY (job, cause, kind)
) STRICT, WITHOUT ROWID;
