-- Whom an attribute of a person names in the target (manager), and what the target has accepted.
-- ARCHITECTURE.md explains every table. Migrations are never edited; a change is a new file.

CREATE TABLE person_references (
  job      INTEGER NOT NULL,
  person   INTEGER NOT NULL REFERENCES links(id),    -- whose attribute it is
  path     TEXT NOT NULL,                            -- the target attribute
  -- desired
  names    TEXT,                                     -- who is meant, by source id or userName; NULL: nobody
  name_key TEXT,                                     -- the same, folded
  clears   INTEGER NOT NULL DEFAULT 0,               -- 1: nobody takes back what we sent
  resolved TEXT,                                     -- the resource that it is now; NULL: none yet
  -- applied
  applied  TEXT,                                     -- the resource that the target last accepted
  -- the change that would make applied equal desired
  pending  INTEGER GENERATED ALWAYS AS (CASE
             WHEN names IS NOT NULL THEN resolved IS NULL OR resolved IS NOT applied
             ELSE clears AND applied IS NOT NULL END) VIRTUAL,
  cause    TEXT NOT NULL,
  hold     TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  failure  TEXT,
  due_at   INTEGER,
  PRIMARY KEY (person, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_references_pending ON person_references(job, person, path) WHERE pending = 1;
CREATE INDEX person_references_names   ON person_references(job, names)        WHERE names IS NOT NULL;
CREATE INDEX person_references_key     ON person_references(job, name_key)     WHERE name_key IS NOT NULL;

-- Whoever gives an account to somebody, takes it away or renames it, finds those who refer to him.
CREATE TRIGGER references_to_an_account AFTER UPDATE OF resource, applied_key ON links
  WHEN NEW.kind = 'user' AND (NEW.resource IS NOT OLD.resource OR NEW.applied_key IS NOT OLD.applied_key)
BEGIN
  UPDATE person_references SET resolved = coalesce(
           (SELECT m.resource FROM links m WHERE m.job = NEW.job AND m.kind = 'user' AND m.source_id = names),
           (SELECT m.resource FROM links m WHERE m.job = NEW.job AND m.kind = 'user' AND m.applied_key = name_key))
   WHERE job = NEW.job AND (names = NEW.source_id OR name_key = OLD.applied_key OR name_key = NEW.applied_key);
END;

-- A new account has no references yet.
CREATE TRIGGER references_of_an_account AFTER UPDATE OF resource ON links
  WHEN NEW.kind = 'user' AND NEW.resource IS NOT OLD.resource
BEGIN
  UPDATE person_references SET applied = NULL WHERE person = NEW.id;
END;
