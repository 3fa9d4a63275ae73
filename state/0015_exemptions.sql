-- Decisions that a change is not made, for a while (P9). `exempt` stands beside the change itself: 1 while the exemption
-- lasts (it is not planned), 2 once it has ended (it is held, whatever the limits say).

CREATE TABLE exemptions (
  job    INTEGER NOT NULL REFERENCES jobs(id),
  link   INTEGER NOT NULL,
  person INTEGER NOT NULL DEFAULT 0,                 -- the member, for an edge; 0 for a link
  class  TEXT NOT NULL,
  who    TEXT NOT NULL,
  reason TEXT NOT NULL,
  at     INTEGER NOT NULL,
  until  INTEGER NOT NULL,
  PRIMARY KEY (job, link, person, class)
) STRICT, WITHOUT ROWID;

ALTER TABLE links             ADD COLUMN exempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE team_edges        ADD COLUMN exempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE person_references ADD COLUMN exempt INTEGER NOT NULL DEFAULT 0;
CREATE INDEX links_exempt             ON links(job)             WHERE exempt <> 0;
CREATE INDEX team_edges_exempt        ON team_edges(job)        WHERE exempt <> 0;
CREATE INDEX person_references_exempt ON person_references(job) WHERE exempt <> 0;
